"""What people read: formal, neutral Indonesian, from the facts of a notice. Pure; the words are files in `id/`.

A chat gets nothing that names a household: the unit's code is not in what its templates are given.
"""

from cloud.alerts.texts.composing import Wording, bundle, compose, cut, fits, headline
from cloud.alerts.texts.templates import NoWords, html, letter

__all__ = ["NoWords", "Wording", "bundle", "compose", "cut", "fits", "headline", "html", "letter"]
