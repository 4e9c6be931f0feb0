"""The process that draws one picture: JSON on its input, PNG on its output."""

import sys

from services.pictures.drawing import draw
from services.pictures.picture import Picture

if __name__ == "__main__":
    sys.stdout.buffer.write(draw(Picture.from_json(sys.stdin.buffer.read())))
