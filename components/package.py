"""Step `package`: from the champions, and what stands beside them, to one Bento."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def package(  # noqa: D417  # kfp shows what Returns says of the outputs
    *, models: list[str], ledger_url: str, variants: bool, bento: dsl.Output[dsl.Artifact]
) -> str:
    """Write the champions, by name and number, into one Bento; verdicts and hashes are checked again first.

    Args:
        models: Models to serve; empty for every one that has a champion.
        ledger_url: The ledger whose online features are served; empty for the one that they were trained on.
        variants: Whether to add the challenger and the previous champion of each model that has one.

    Returns:
        bento: What the Bento holds, as JSON. The Bento itself is in the Bento store.
        Output: The Bento's tag.
    """
    from pathlib import Path

    from bentos.packaging import package as package_versions
    from components.champion import beside, champions, on_their_ledger
    from components.step import step
    from feature_repo import definitions

    with step("package", ledger_url) as settings:
        versions = champions(models, settings)
        serving = settings if ledger_url else on_their_ledger(versions, settings)
        built = package_versions(
            serving,
            versions,
            definitions(serving),
            challengers=beside(versions, "challenger", settings) if variants else (),
            previous=beside(versions, "previous", settings) if variants else (),
        )
        Path(bento.path).write_text(built.release.model_dump_json(indent=2), encoding="utf-8")
        released = built.release.models
        bento.metadata["versions"] = [each.spec for each in released if each.alias == "champion"]
        others = [f"{each.spec} ({each.alias})" for each in released if each.alias != "champion"]
        bento.metadata["variants"] = others
        bento.metadata["summary"] = f"{built.tag} with {', '.join(bento.metadata['versions'] + others)}"
        return built.tag
