"""What is left of text that others wrote, once its markup is gone."""

from time import process_time

import pytest

from services.plain_text import plain_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (None, None),
        ("", None),
        ("<br>", None),
        ("Prêt de <b>vélos</b> &amp; conseils", "Prêt de vélos & conseils"),
        ("<p>Un</p><p>Deux</p>", "Un\n\nDeux"),
        ("avant<script>alert('x')</script>après", "avantaprès"),
        ("<style>p { color: red }</style>texte", "texte"),
        ("<img src=x onerror=alert(1)>texte", "texte"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "alert(1)"),
        ("&lt;img src=x onerror=alert(1)", "< img src=x onerror=alert(1)"),
        ("<<b>script>alert(1)", "alert(1)"),
        ("&lt;<b>script", "< script"),
        ("ouvert<script>alert(1)", "ouvert"),
        ("avant<!-- note -->après", "avantaprès"),
        ("cassé <![nouveau[ ici", "cassé < ![nouveau[ ici"),
        ("moins de 26 ans, revenu < 1 000 €", "moins de 26 ans, revenu < 1 000 €"),
        ("**Gras** et [lien](https://exemple.test)", "**Gras** et [lien](https://exemple.test)"),
        ("un\x00 deux\x07", "un deux"),
        ("trop   d'espaces\n\n\n\n\nici", "trop d'espaces\n\nici"),
    ],
)
def test_markup_is_taken_out_and_the_text_stays(markup: str | None, text: str | None):
    assert plain_text(markup) == text


@pytest.mark.parametrize("piece", ["<a ", "<", "</", "<!--", "<script", "&lt;", "&", "<p "])
def test_ten_thousand_characters_of_unfinished_markup_are_read_at_once(piece: str):
    started_at = process_time()

    plain_text(piece * (10_000 // len(piece)))

    assert process_time() - started_at < 0.25
