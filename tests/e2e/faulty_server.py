"""`faced` with a detector that does what a picture's first pixel says: RAISE raises in it, HANG never ends.

python -m tests.e2e.faulty_server serve ...
"""

import sys
import threading
from dataclasses import replace

from faced_service import serving
from faced_service.main import main

RAISE, HANG = (251, 7, 13), (7, 251, 13)


class Faulty:
    """The real detector otherwise."""

    def __init__(self, detector):
        self._detector = detector

    def __getattr__(self, name):
        return getattr(self._detector, name)

    def detect(self, images, plan, thresholds):
        pixels = {tuple(map(int, image[0, 0])) for image in images}
        if RAISE in pixels:
            raise RuntimeError("a provider that dies")
        if HANG in pixels:
            threading.Event().wait()
        return self._detector.detect(images, plan, thresholds)


def load(settings, load=serving.load_networks):
    networks = load(settings)
    return replace(networks, models=replace(networks.models, detector=Faulty(networks.models.detector)))


if __name__ == "__main__":
    serving.load_networks = load
    sys.exit(main())
