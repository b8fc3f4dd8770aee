"""What the tests need from the system: Chromium, fonts for pictures, the real engines beside SQLite.

Installs it where that is allowed, otherwise says what to install. Standard library only.
"""

import os
import shutil
import sys
from pathlib import Path

from environment import apt_get
from steps import Refusal, Steps, speak_utf8


def missing() -> list[str]:
    """Debian's names of what is not here."""
    fonts = Path("/usr/share/fonts")
    present = {
        "chromium": shutil.which("chromium"),
        "fonts-dejavu-core": any(fonts.rglob("DejaVuSans.ttf")),
        "fonts-noto-color-emoji": any(fonts.rglob("NotoColorEmoji*")),
        "ffmpeg": shutil.which("ffmpeg"),
        "redis-server": shutil.which("redis-server"),
        # Debian's own, since it brings the user it runs as.
        "postgresql": any(Path("/usr/lib/postgresql").glob("*/bin/initdb")),
    }
    return [name for name, here in present.items() if not here]


def install_missing(steps: Steps) -> None:
    packages = missing()
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        with steps.step(f"Installing {', '.join(packages)} with apt-get"):
            apt_get(*packages)
        packages = missing()
    if packages:
        raise Refusal(
            f"The tests need more of the system: run `apt-get install {' '.join(packages)}` as root first."
        )


def main() -> int:
    speak_utf8()
    try:
        install_missing(Steps(sys.stderr))
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
