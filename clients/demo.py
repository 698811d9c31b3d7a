"""`make demo`: a real face through the real server, as a picture and as a video; prints what comes out.

The face is scikit-image's `astronaut` (Eileen Collins, NASA, public domain).
"""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from skimage.data import astronaut

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "demo-output"
FRAMES, RATE, SIZE = 75, 25, (640, 480)


def make_picture(path: Path) -> None:
    """The astronaut as a PNG."""
    cv2.imwrite(str(path), cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR))


def make_video(path: Path, frames: int = FRAMES) -> None:
    """H.264 with a tone: in three seconds the camera moves in on the face, then out, and so on."""
    picture = astronaut()
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=44_100, layout="mono")
        for index in range(frames):
            width = 512 - 3.2 * (FRAMES - abs(index % (2 * FRAMES) - FRAMES))
            left, top = (512 - width) * 0.38, (512 - width) * 0.05
            zoom = np.array([[width / SIZE[0], 0, left], [0, width / SIZE[0], top]])
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            image = cv2.warpAffine(picture, zoom, SIZE, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode(None))
        samples = np.sin(np.arange(44_100 * frames // RATE) * (2 * np.pi * 440 / 44_100)) * 0.1
        for start in range(0, len(samples), 1024):
            block = av.AudioFrame.from_ndarray(
                samples[None, start : start + 1024].astype(np.float32), format="fltp", layout="mono"
            )
            block.sample_rate, block.pts, block.time_base = 44_100, start, Fraction(1, 44_100)
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))


def run(*arguments: str) -> None:
    """Run `faced-cli`, showing the command as one would type it."""
    sys.stdout.write(f"\n$ faced-cli {' '.join(arguments)}\n")
    sys.stdout.flush()
    subprocess.run([str(Path(sys.executable).with_name("faced-cli")), *arguments], cwd=ROOT, check=True)


def main() -> None:
    """Make the inputs, run the three commands, name what they wrote."""
    OUTPUT.mkdir(exist_ok=True)
    make_picture(OUTPUT / "astronaut.png")
    make_video(OUTPUT / "astronaut.mp4")
    folder = OUTPUT.name
    run("image", f"{folder}/astronaut.png")
    run("image", f"{folder}/astronaut.png", "--json", "--annotate", f"{folder}/annotated")
    run(
        *("video", f"{folder}/astronaut.mp4", "-o", f"{folder}/annotated/astronaut.mp4"),
        *("--jsonl", f"{folder}/annotated/astronaut.jsonl", "--force"),
    )
    sys.stdout.write("\nAnnotated files:\n")
    for path in sorted((OUTPUT / "annotated").iterdir()):
        sys.stdout.write(f"  {path.relative_to(ROOT)}  {path.stat().st_size / 1024:.0f} kB\n")


if __name__ == "__main__":
    main()
