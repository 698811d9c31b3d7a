"""What tests of the page look for in it."""

from axe_playwright_python.sync_playwright import Axe

FACES = "#faces .face"


def two_faces(tab):
    """Waits for the cards of two people."""
    tab.locator(FACES).nth(1).wait_for()


def violations(tab):
    """What axe-core finds wrong, with the first place of each."""
    found = Axe().run(tab).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]
