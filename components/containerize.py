"""Step `containerize`: from a Bento to an OCI image."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def containerize(  # noqa: D417  # kfp shows what Returns says of the outputs
    *, bento: str, base_image: str, image: dsl.Output[dsl.Markdown]
) -> str:
    """Build the OCI image of a Bento with the builder that is there; without one the Bento stays as it is.

    Args:
        bento: The Bento's tag.
        base_image: A Debian with Python 3.11; empty for the declared one.

    Returns:
        image: What became of it.
        Output: The image's name, or nothing where there is no builder.
    """
    from pathlib import Path

    from bentos.images import containerize as build_image
    from components.step import step

    with step("containerize") as settings:
        built = build_image(settings, bento, base_image=base_image or None)
        Path(image.path).write_text(built.words + "\n", encoding="utf-8")
        image.metadata["summary"] = built.words
        return built.image or ""
