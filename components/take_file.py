"""Step `take_file`: labelled rows of a file in place of the ledger's."""

from kfp import dsl

from components import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def take_file(  # noqa: D417  # kfp shows what Returns says of the outputs
    *,
    model: str,
    file: str,
    sha256: str,
    origin: str,
    training_rows: dsl.Output[dsl.Dataset],
    held_out_rows: dsl.Output[dsl.Dataset],
) -> None:
    """Check the rows of a labelled file against the model's contract, and hold a part out.

    Args:
        model: A model of the catalogue.
        file: Parquet file below FINML_HOME, where `finml run training --data` put it.
        sha256: Hash of the file; another one ends the run.
        origin: Name of the file that the rows were read from.

    Returns:
        training_rows: Rows to train on, as one Parquet file.
        held_out_rows: Rows that training never sees, as one Parquet file.
    """
    from components.rows import write_parts
    from components.step import step
    from finml.models.base import get_model
    from finml.models.labelled_files import stored_rows

    with step("take_file") as settings:
        learner = get_model(model)
        rows = learner.training_frame(stored_rows(file, sha256, settings))
        write_parts(learner, rows, training_rows, held_out_rows, data_hash=sha256, data_file=origin)
