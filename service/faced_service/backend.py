"""What stands behind a way in: who may come, what is done for them, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from faced_service.access import Access
from faced_service.analyzer import Analyzer
from faced_service.certificates import Certificates
from faced_service.endings import Endings
from faced_service.metrics import Metrics
from faced_service.settings import Settings
from faced_service.watched_files import WatchedFiles


@dataclass(frozen=True, slots=True)
class Backend:
    """One server's, shared by gRPC and the gateway; without `certificates` it does not speak TLS."""

    analyzer: Analyzer
    access: Access
    metrics: Metrics
    settings: Settings
    endings: Endings
    certificates: WatchedFiles[Certificates] | None
