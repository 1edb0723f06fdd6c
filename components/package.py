"""Step `package`: from the champions to one Bento."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def package(  # noqa: D417  # kfp shows what Returns says of the outputs
    *, models: list[str], ledger_url: str, bento: dsl.Output[dsl.Artifact]
) -> str:
    """Write the champions, by name and number, into one Bento; verdicts and hashes are checked again first.

    Args:
        models: Models to serve; empty for every one that has a champion.
        ledger_url: The ledger whose online features are served; empty for the one that they were trained on.

    Returns:
        bento: What the Bento holds, as JSON. The Bento itself is in the Bento store.
        Output: The Bento's tag.
    """
    from pathlib import Path

    from bentos.packaging import package as package_versions
    from components.champion import champions, on_their_ledger
    from components.step import step
    from feature_repo import definitions

    with step("package", ledger_url) as settings:
        versions = champions(models, settings)
        serving = settings if ledger_url else on_their_ledger(versions, settings)
        built = package_versions(serving, versions, definitions(serving))
        Path(bento.path).write_text(built.release.model_dump_json(indent=2), encoding="utf-8")
        bento.metadata["versions"] = [model.spec for model in built.release.models]
        bento.metadata["summary"] = f"{built.tag} with {', '.join(bento.metadata['versions'])}"
        return built.tag
