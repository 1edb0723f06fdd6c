"""Pipeline `release`: from approved versions to one Bento and one image."""

from kfp import dsl

from components.containerize import containerize
from components.package import package
from pipelines.steps import step


@dsl.pipeline(name="release", description="From the approved versions to one Bento and one image.")
def release(
    models: list[str] = [],  # noqa: B006  # kfp writes defaults down, and has no word for None
    ledger_url: str = "",
    variants: bool = True,
    image: bool = True,
    base_image: str = "",
) -> None:
    """Package exactly the approved versions, by name and number, and build their image.

    Args:
        models: Models to serve; empty for every one that has a champion.
        ledger_url: The ledger whose online features are served; empty for the one that they were trained on.
        variants: Whether to add the challenger and the previous champion of each model that has one.
        image: Whether to build an OCI image of the Bento.
        base_image: Image to build it on; empty for the declared one.
    """
    # 1. Take the champions and their variants, check verdicts and hashes again, and write one Bento of them.
    packaged = step(
        package(models=models, ledger_url=ledger_url, variants=variants),
        "Package the champions",
        cpu="1",
        memory="2Gi",
        retries=1,
    )

    # 2. Build the image, where a builder is.
    with dsl.If(image == True, name="image-wanted"):  # noqa: E712  # kfp overloads the comparison
        step(
            containerize(bento=packaged.outputs["Output"], base_image=base_image),
            "Build the image",
            cpu="2",
            memory="4Gi",
            retries=1,
        )
