"""What is evaluated, and until when it has learned: models trained anew on the past, or a release of the registry."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from features.bank import TextBank
from features.errors import InputError, bad
from features.schema import Tables
from features.text import EMBEDDINGS, EmbeddingCache, encoder_id, encoder_name, load_encoder
from models.bundle import Bundle
from models.registry import CHAMPION, Registry
from models.release import NAMES, read_manifest
from training.evaluation.cases import Evidence, past
from training.fit import bundle_of, fit

SEED = 0
RELEASE = "release"
MATCHING = ("towers", "ranker")
SUCCESS, FRAUD, CREDIT = "success", "fraud", "credit"


@dataclass(frozen=True)
class Subject:
    """The models measured: ``name`` says in words which, ``part`` is "release" or the one model asked for, and nothing
    known after ``until`` has reached them. ``rival`` is the champion before them, or None and ``no_rival`` says why."""

    name: str
    part: str
    bundle: Bundle
    bank: TextBank
    until: pd.Timestamp
    notes: list[str] = field(default_factory=list)
    rival: Bundle | None = None
    no_rival: str = ""

    def answers(self, *models: str) -> bool:
        """Whether what one of ``models`` says is to be measured."""
        return self.part == RELEASE or self.part in models


def trained_on_the_past(tables: Tables, cut: pd.Timestamp, bank: TextBank) -> Bundle:
    """Models trained on an export at ``cut``."""
    return bundle_of(fit(past(tables, cut), bank, seed=SEED, progress=True), bank)


def refitted(tables: Tables, known: Evidence, home: Path) -> Subject:
    """Models trained on what was known when 70 % of the briefs had come; the champion of ``home`` is the rival."""
    bank = _bank(home)
    trained = fit(past(tables, known.cut), bank, seed=SEED, progress=True)
    name = f"models trained anew on what was known on {known.cut:%Y-%m-%d}"
    rival, missing = _rival(home, CHAMPION, bank, known.cut)
    return Subject(name, RELEASE, bundle_of(trained, bank), bank, known.cut, trained.notes, rival, missing)


def registered(model: str, home: Path) -> Subject:
    """The release of ``home`` that ``model``, NAME@ALIAS, names; the rival is the champion, or the one before it.

    Raises InputError for a name, an alias or a version that is not there, and for a release that does not say until
    when its data go.
    """
    part, _, alias = model.partition("@")
    if part not in (RELEASE, *NAMES) or not alias:
        raise bad("--model", f"write NAME@ALIAS, where NAME is {RELEASE}, {', '.join(NAMES)}", model)
    if part == CREDIT:
        raise bad("--model", "credit is computed from the ledger by its policy; nothing of it is learned", model)
    registry = Registry(home)
    folder = registry.fetch(alias)
    bundle, until = Bundle.load(folder), _until(folder)
    if part in (SUCCESS, FRAUD) and getattr(bundle, part) is None:
        raise bad("--model", f"release {folder.name} has no model {part}", model)
    bank = _bank(home, bundle)
    before = registry.before(folder.name)
    rival, missing = (
        (None, "no release was promoted before this one") if before is None else _rival(home, before, bank, until)
    )
    return Subject(f"release {folder.name} ({alias})", part, bundle, bank, until, [], rival, missing)


def _until(folder: Path) -> pd.Timestamp:
    ends = {name: entry.data_as_of for name, entry in read_manifest(folder).models.items()}
    if unknown := [name for name, end in ends.items() if end is None]:
        problem = "was made before releases kept the end of their data; train again"
        raise bad("--model", f"{', '.join(unknown)} of the release {problem}", folder.name)
    return pd.Timestamp(max(end for end in ends.values() if end is not None))


def _rival(home: Path, ref: str, bank: TextBank, until: pd.Timestamp) -> tuple[Bundle | None, str]:
    """The release ``ref``, if it had learned from nothing that came after ``until``; else why there is none."""
    try:
        folder = Registry(home).fetch(ref)
        bundle, end = Bundle.load(folder), _until(folder)
    except InputError as error:
        return None, "no release was promoted yet" if error.code == "NOT_FOUND" else error.message
    if end > until:
        return None, f"release {folder.name} learned from data until {end:%Y-%m-%d}, later than {until:%Y-%m-%d}"
    if bundle.encoder_id != encoder_id(bank.encoder):
        return None, f"release {folder.name} reads texts with {bundle.encoder_id}"
    return bundle, ""


def _bank(home: Path, bundle: Bundle | None = None) -> TextBank:
    """Texts as ``bundle`` reads them, by default with the default encoder."""
    encoder = load_encoder() if bundle is None else load_encoder(encoder_name(bundle.encoder_id))
    if bundle is not None and encoder_id(encoder) != bundle.encoder_id:
        raise bad("encoder_id", f"the release is for {bundle.encoder_id}; train again", encoder_id(encoder), "CONFLICT")
    return TextBank(encoder, EmbeddingCache(home / EMBEDDINGS), progress=True)
