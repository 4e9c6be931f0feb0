"""Pictures of rows, drawn in processes of their own: what draws is large, slow, and may fail in ways of its own."""

from services.pictures.painter import Painter, PaintingError
from services.pictures.picture import PNG_SIGNATURE, Picture, PictureSize

__all__ = ["PNG_SIGNATURE", "Painter", "PaintingError", "Picture", "PictureSize"]
