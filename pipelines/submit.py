"""Send a pipeline to Kubeflow."""

import contextlib
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from finml.errors import PipelineError, SettingsError, UsageError
from finml.settings import Settings
from finml.urls import has_secret, public_url
from pipelines.environment import cluster_variables, secret_variables
from pipelines.spec import CompiledPipeline, compile_pipeline, for_kubernetes

if TYPE_CHECKING:
    from kfp import Client

TIMEOUT_S = 10


class SubmittedRun(BaseModel):
    """A run that a Kubeflow endpoint took."""

    run_id: str
    pipeline: str
    experiment: str
    namespace: str
    arguments: dict[str, Any]
    url: str


def compile_for_cluster(
    name: str, settings: Settings, *, home_claim: str = "", secret: str = ""
) -> CompiledPipeline:
    """Compile a pipeline with everything that its steps need in a cluster.

    Args:
        name: the pipeline.
        settings: image, and public settings to hand to the steps.
        home_claim: persistent volume claim with FINML_HOME, or empty where servers hold all state.
        secret: Kubernetes secret with the settings that carry passwords, or empty.
    """
    public = cluster_variables(settings)
    pipeline = compile_pipeline(name, settings.image, public)
    return for_kubernetes(
        pipeline, home_claim=home_claim, secret=secret, secret_variables=secret_variables(public)
    )


def submit(pipeline: CompiledPipeline, arguments: Mapping[str, Any], settings: Settings) -> SubmittedRun:
    """Start a run of a compiled pipeline on the Kubeflow endpoint of the settings.

    Raises:
        SettingsError: no endpoint is configured.
        UsageError: an argument carries a password, which everyone who sees the run could read.
        PipelineError: the endpoint cannot be reached, wants another token, or refuses the run.
    """
    if not settings.kfp_host:
        raise SettingsError(
            "there is no Kubeflow endpoint to submit to",
            hint="set FINML_KFP_HOST, and FINML_KFP_TOKEN where it asks for a login; "
            "or run the pipeline here: `finml run`",
        )
    for key, value in arguments.items():
        if isinstance(value, str) and has_secret(value):
            raise UsageError(
                f"{key} carries a password, and everyone who sees the run could read it",
                hint="put it into the Kubernetes secret that --secret names, as the key ledger_url",
            )
    check_endpoint(settings)
    experiment = f"finml-{pipeline.name}"
    with endpoint_errors(settings), tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / f"{pipeline.name}.yaml"
        package.write_text(pipeline.to_yaml(), encoding="utf-8")
        client = kfp_client(settings)
        run = client.create_run_from_pipeline_package(
            str(package),
            arguments=dict(arguments),
            run_name=" ".join([pipeline.name, *filter(None, [arguments.get("model")])]),
            experiment_name=experiment,
            namespace=settings.kfp_namespace or None,
            enable_caching=False,
        )
    return SubmittedRun(
        run_id=run.run_id,
        pipeline=pipeline.name,
        experiment=experiment,
        namespace=settings.kfp_namespace,
        arguments=dict(arguments),
        url=f"{public_url(settings.kfp_host).rstrip('/')}/#/runs/details/{run.run_id}",
    )


def kfp_client(settings: Settings) -> "Client":
    """A client of the endpoint."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # says which servers it works with
        import kfp

        return kfp.Client(
            host=settings.kfp_host,
            namespace=settings.kfp_namespace,
            existing_token=settings.kfp_token.get_secret_value() or None,
        )


def check_endpoint(settings: Settings) -> None:
    """Ask the endpoint for a sign of life: kfp's client would wait for one without end.

    Raises:
        PipelineError: there is none, or it asks for a login.
    """
    import requests

    token = settings.kfp_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = requests.get(
            f"{settings.kfp_host.rstrip('/')}/apis/v2beta1/healthz",
            headers=headers,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise unreachable(settings, type(error).__name__) from error
    if answer.is_redirect or answer.status_code in {401, 403}:
        raise unauthorized(settings, answer.status_code)
    if not answer.ok:
        raise PipelineError(
            f"{public_url(settings.kfp_host)} answers {answer.status_code}, as no Kubeflow endpoint does",
            hint="FINML_KFP_HOST is the address of the pipelines UI, as https://kubeflow.example/pipeline",
        )


@contextlib.contextmanager
def endpoint_errors(settings: Settings) -> Iterator[None]:
    """Put what the endpoint answers into finml's words; kfp's own remarks go to standard error."""
    import kfp_server_api
    import urllib3

    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except kfp_server_api.ApiException as error:
        if error.status in {401, 403}:
            raise unauthorized(settings, error.status) from error
        raise PipelineError(
            f"Kubeflow refused the run ({error.status}): {error.body or error.reason}",
            hint="`finml compile` writes what was sent",
        ) from error
    except urllib3.exceptions.HTTPError as error:
        raise unreachable(settings, type(error).__name__) from error


def unreachable(settings: Settings, reason: str) -> PipelineError:
    """The error of an endpoint that does not answer."""
    return PipelineError(
        f"the Kubeflow endpoint {public_url(settings.kfp_host)} does not answer ({reason})",
        hint="check FINML_KFP_HOST, and the port-forward or VPN between here and there",
    )


def unauthorized(settings: Settings, status: int) -> PipelineError:
    """The error of an endpoint that wants to know who is asking."""
    return PipelineError(
        f"the Kubeflow endpoint {public_url(settings.kfp_host)} does not let us into the namespace "
        f"{settings.kfp_namespace!r} ({status})",
        hint="set FINML_KFP_TOKEN to a valid token of an account that may use that namespace, or "
        "FINML_KFP_NAMESPACE to one of its own",
    )
