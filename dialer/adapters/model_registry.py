"""The models of a campaign on disk: one folder a version, and which of them serve.

How it works: `<data>/models/<campaign>/<id>/` holds a version's files, written beside and moved into place whole, and
is never changed. `registry.json` beside the folders says who is champion, who challenges it on what share of the leads,
who was champion before, and what was decided when. Whoever changes it holds the lock; whoever reads it needs none.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from dialer.config.section import NAME
from dialer.errors import ConfigError

if TYPE_CHECKING:
    from models.bundle import Manifest, ModelBundle

ID = r"m-\d{8}-\d{6}-[0-9a-f]{4}"
KEPT = 20  # versions that neither serve nor were champion
KEPT_BEFORE = 10  # former champions to roll back to
KEPT_TURNS = 500
MANIFEST = "manifest.json"

What = Literal["registered", "refused", "champion", "challenger", "rolled_back", "retired"]
_Id = Annotated[str, msgspec.Meta(pattern=f"^{ID}$")]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One decision on a version; `at` is UTC seconds. `model` None: the tables alone."""

    at: float
    what: What
    model: str | None
    because: tuple[str, ...] = ()  # why it was refused, or who promoted it


class Standing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `registry.json` says. `champion` None: the campaign goes by the tables alone."""

    champion: _Id | None = None
    challenger: _Id | None = None
    challenger_share: Annotated[float, msgspec.Meta(ge=0.0, le=0.5)] = 0.0  # of the leads
    before: tuple[_Id, ...] = ()  # former champions, the latest last
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The versions that a campaign goes by. None: there is none, or it cannot be read, which `told` says."""

    champion: ModelBundle | None = None
    challenger: ModelBundle | None = None
    challenger_share: float = 0.0
    told: tuple[str, ...] = ()


class ModelRegistry:
    """The versions of one campaign in a data folder."""

    def __init__(self, data: Path, campaign: str) -> None:
        """Name the registry; nothing is made before something is added. Raises `ConfigError` for a bad name."""
        if not re.match(NAME, campaign):
            raise ConfigError(f"{campaign[:70]!r}: expected a campaign's name or its file, found neither")
        self.campaign = campaign
        self.folder = data / "models" / campaign
        self._file = self.folder / "registry.json"

    # ---- reading ----------------------------------------------------------------------------------------
    def standing(self) -> Standing:
        """Return who serves. Raises `ConfigError` where the registry cannot be read."""
        try:
            content = self._file.read_bytes()
        except FileNotFoundError:
            return Standing()
        except OSError as error:
            raise ConfigError(f"{self._file}: cannot be read: {error.strerror or error}") from error
        try:
            return msgspec.json.decode(content, type=Standing)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{self._file}:1: expected a registry of models, was: {error}: take it from a backup, or remove it and "
                "name a champion with `dialer models promote ID`"
            ) from None

    def ids(self) -> list[str]:
        """Return all versions, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if re.fullmatch(ID, path.name) and path.is_dir())

    def load(self, model: str) -> ModelBundle:
        """Read a version and check its bytes. Raises `ConfigError`, one line, for one that is not there or broken."""
        from models.bundle import ModelBundle, ModelRefused

        folder = self._folder_of(model)
        try:
            files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
            return ModelBundle.from_files(files)
        except (ModelRefused, OSError) as error:
            raise ConfigError(f"{folder}: {_line(error)}") from error

    def manifest(self, model: str) -> Manifest:
        """Read what a version says of itself, without its trees. Raises `ConfigError`."""
        from models.bundle import Manifest

        path = self._folder_of(model) / MANIFEST
        try:
            return msgspec.json.decode(path.read_bytes(), type=Manifest)
        except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
            raise ConfigError(f"{path}: expected what a model says of itself, was: {_line(error)}") from error

    def serving(self) -> Serving:
        """Return the versions that serve; whatever cannot be read is left out and told in one line. Never raises."""
        try:
            standing = self.standing()
        except ConfigError as error:
            return Serving(told=(f"{_line(error)}; the campaign goes by the tables alone",))
        told: list[str] = []
        champion = self._served(standing.champion, "the campaign goes by the tables alone", told)
        challenger = self._served(standing.challenger, "nobody challenges", told)
        share = standing.challenger_share if challenger is not None else 0.0
        return Serving(champion=champion, challenger=challenger, challenger_share=share, told=tuple(told))

    def _served(self, model: str | None, without: str, told: list[str]) -> ModelBundle | None:
        if model is None:
            return None
        try:
            return self.load(model)
        except Exception as error:  # whatever a damaged file makes of a library, calls go on
            told.append(f"{_line(error)}; {without}")
            return None

    def refused_because(self, model: str) -> tuple[str, ...]:
        """Return why a version was kept aside, as the last decision on it says; empty where it was not."""
        turns = [turn for turn in self.standing().history if turn.model == model]
        return turns[-1].because if turns and turns[-1].what == "refused" else ()

    # ---- changing ---------------------------------------------------------------------------------------
    def add(self, bundle: ModelBundle, *, at: float, refused: tuple[str, ...] = ()) -> str:
        """Keep a version and return its id; it does not serve yet. `refused`: why it should not. `at`: UTC seconds."""
        files = bundle.to_files()
        model = bundle.manifest.id
        if not re.fullmatch(ID, model):
            raise ValueError(f"expected an id such as m-20261123-140000-0a1b, was {model!r}")
        with self._locked() as standing:
            place = self.folder / model
            if not place.exists():
                self._write_folder(place, files)
            turn = Turn(at=at, what="refused" if refused else "registered", model=model, because=refused)
            self._write(_noted(standing, turn))
        return model

    def promote(
        self, model: str, *, at: float, by: str = "", challenger_share: float | None = None, force: bool = False
    ) -> Standing:
        """Make a version the champion, or with a share the challenger on that share of the leads.

        Raises `ConfigError` for one that cannot be read, and without `force` for one that was refused.
        """
        self.load(model)
        reasons = self.refused_because(model)
        if reasons and not force:
            raise ConfigError(f"{model}: was refused ({'; '.join(reasons)}): --force promotes it none the less")
        because = (by,) if by else ()
        with self._locked() as standing:
            if challenger_share is not None:
                if not 0.0 < challenger_share <= 0.5:
                    raise ConfigError(
                        f"--share {challenger_share:g}: expected more than 0 and at most 0.5 of the leads"
                    )
                if model == standing.champion:
                    raise ConfigError(f"{model}: expected another than the champion to challenge it")
                changed = _replace(standing, challenger=model, challenger_share=challenger_share)
                turn = Turn(at=at, what="challenger", model=model, because=because)
            else:
                changed = _crowned(standing, model)
                turn = Turn(at=at, what="champion", model=model, because=because)
            return self._write(_noted(changed, turn))

    def rollback(self, *, at: float, by: str = "") -> tuple[Standing, tuple[str, ...]]:
        """Go back to the champion before this one, or to the tables alone where there was none; a former one that is
        broken is passed over and told. Raises `ConfigError` where there is no champion."""
        told: list[str] = []
        self._require_champion(self.standing())  # before anything is made on disk
        with self._locked() as standing:
            self._require_champion(standing)
            before = list(standing.before)
            champion: str | None = None
            while before and champion is None:
                candidate = before.pop()
                try:
                    self.load(candidate)
                    champion = candidate
                except ConfigError as error:
                    told.append(f"{_line(error)}; passed over")
            challenges = standing.challenger if standing.challenger != champion else None
            changed = _replace(
                standing,
                champion=champion,
                before=tuple(before),
                challenger=challenges,
                challenger_share=standing.challenger_share if challenges else 0.0,
            )
            turn = Turn(at=at, what="rolled_back", model=champion, because=(by,) if by else ())
            return self._write(_noted(changed, turn)), tuple(told)

    def _require_champion(self, standing: Standing) -> None:
        if standing.champion is None:
            raise ConfigError(f"{self.campaign}: expected a champion to roll back from, it has none")

    def retire(self, model: str, *, at: float, by: str = "") -> Standing:
        """Take a version out of service; its files stay. A champion leaves the tables alone. Raises `ConfigError`."""
        self._folder_of(model)
        with self._locked() as standing:
            changed = _replace(
                standing,
                champion=None if standing.champion == model else standing.champion,
                before=tuple(former for former in standing.before if former != model),
                challenger=None if standing.challenger == model else standing.challenger,
                challenger_share=0.0 if standing.challenger == model else standing.challenger_share,
            )
            turn = Turn(at=at, what="retired", model=model, because=(by,) if by else ())
            return self._write(_noted(changed, turn))

    def prune(self) -> list[str]:
        """Remove the oldest versions that neither serve nor were champion, but for the last `KEPT`; return them."""
        with self._locked() as standing:
            needed = {standing.champion, standing.challenger, *standing.before}
            spare = [model for model in self.ids() if model not in needed]
            gone = spare[: max(0, len(spare) - KEPT)]
            for model in gone:
                shutil.rmtree(self.folder / model, ignore_errors=True)
        return gone

    # ---- files ------------------------------------------------------------------------------------------
    def _folder_of(self, model: str) -> Path:
        folder = self.folder / model
        if not re.fullmatch(ID, model) or not folder.is_dir():
            known = ", ".join(self.ids()[-3:]) or "none"
            raise ConfigError(f"{self.folder}: expected a model of {self.campaign} ({known}), found no {model[:60]!r}")
        return folder

    @contextlib.contextmanager
    def _locked(self) -> Iterator[Standing]:
        """Hold the registry for a change."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (self.folder / ".lock").open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield self.standing()
        except OSError as error:
            raise ConfigError(f"{self.folder}: cannot be written: {error.strerror or error}") from error

    def _write_folder(self, place: Path, files: dict[str, bytes]) -> None:
        part = Path(tempfile.mkdtemp(dir=self.folder, prefix=f".{place.name}.", suffix=".part"))  # made with mode 700
        try:
            for name, content in files.items():
                _write_through(part / name, content)
            _flush_folder(part)
            part.rename(place)
            _flush_folder(self.folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def _write(self, standing: Standing) -> Standing:
        part = self._file.with_suffix(".part")
        _write_through(part, msgspec.json.format(msgspec.json.encode(standing), indent=1) + b"\n")
        part.replace(self._file)
        _flush_folder(self.folder)
        return standing


def model_id(made_at: float, content: bytes) -> str:
    """Return the id of a version made at `made_at` (UTC seconds) of these bytes."""
    return f"m-{datetime.fromtimestamp(made_at, UTC):%Y%m%d-%H%M%S}-{sha256(content).hexdigest()[:4]}"


def _crowned(standing: Standing, model: str) -> Standing:
    if model == standing.champion:
        return standing
    former = () if standing.champion is None else (standing.champion,)
    before = (*(other for other in standing.before if other != model), *former)[-KEPT_BEFORE:]
    challenges = standing.challenger if standing.challenger != model else None
    share = standing.challenger_share if challenges else 0.0
    return _replace(standing, champion=model, before=before, challenger=challenges, challenger_share=share)


def _noted(standing: Standing, turn: Turn) -> Standing:
    return _replace(standing, history=(*standing.history, turn)[-KEPT_TURNS:])


def _replace(standing: Standing, **changes: object) -> Standing:
    return msgspec.structs.replace(standing, **changes)


def _write_through(path: Path, content: bytes) -> None:
    """Write a file, on disk when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
