"""Settings to an application of Ray Serve: here, and by `import_path` in the file of `serve deploy`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ray import serve
from ray.serve import Application
from ray.serve.config import AutoscalingConfig

from faced_service.on_ray.exclusions import check_for_ray
from faced_service.on_ray.replica import FaceAnalysisReplica
from faced_service.setting_sources import checked_settings
from faced_service.settings import Settings

DEPLOYMENT = "FaceAnalysis"

_SPARE_REQUESTS = 16
"""Beyond what a replica's own limits allow, so that it is the one who refuses, with a reason."""


def build(arguments: Mapping[str, object]) -> Application:
    """For `import_path: faced_service.on_ray.application:build`; `args` are settings as in a TOML file.

    Raises:
        SettingsError: a setting is unknown, cannot be, or cannot be had on Ray.
    """
    return application_of(checked_settings(arguments, "args"))


def application_of(settings: Settings, *, local: bool = False) -> Application:
    """The application; the file of `serve deploy` may override what is said of replicas here.

    `local`: for a Ray of this machine alone.

    Raises:
        SettingsError: something is set that Ray has no way for.
    """
    check_for_ray(settings, local=local)
    options: dict[str, object] = {"num_cpus": settings.cpu_threads or os.cpu_count() or 1}
    if settings.ray_gpus:
        options["num_gpus"] = settings.ray_gpus
    deployment = serve.deployment(
        name=DEPLOYMENT,
        ray_actor_options=options,
        max_ongoing_requests=settings.queue_limit + settings.max_streams + _SPARE_REQUESTS,
        # Ray's own queue, in each proxy, is unbounded unless told.
        max_queued_requests=settings.queue_limit,
        autoscaling_config=AutoscalingConfig(
            min_replicas=settings.ray_min_replicas,
            max_replicas=settings.ray_max_replicas,
            target_ongoing_requests=settings.ray_requests_per_replica,
        ),
        graceful_shutdown_timeout_s=settings.drain_grace_s,
    )(FaceAnalysisReplica)
    return deployment.bind(settings)
