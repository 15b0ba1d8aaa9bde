"""The settings of an issuing office: one TOML file, closed; every value has a default that works on a laptop.

environment = "development"        # development keys are refused in any other
host = "zwfw.ganzhou.example"      # the host printed in the code
database = "sqlite:///register.db" # relative paths are below the home folder
suite = "rsa3072-sha256"
timestamps = []                    # URLs of timestamp authorities, tried in turn; empty: the development one
city_url = ""                      # the city repository; empty: nothing is delivered
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from certlib.errors import ConfigurationError

DEVELOPMENT = "development"
_WORDS = {"without_timestamp": ("refuse", "pending"), "raise_to": ("", "B-LTA"), "level": ("B-T", "B-B", "B-LT")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings. `home` holds database, files and the settings file; `keys` the PKI, empty for development keys."""

    home: Path = Path("certlib-home")
    environment: str = DEVELOPMENT
    host: str = "zwfw.ganzhou.example"
    host_words: str = "仅认"
    database: str = "sqlite:///register.db"
    keys: str = ""
    fonts: str = ""
    templates: str = ""
    emblem: str = ""  # file of the licensed artwork for seals that bear the emblem (国徽): SVG of paths, or PNG
    suite: str = "rsa3072-sha256"
    level: str = "B-T"
    timestamps: tuple[str, ...] = ()
    timestamp_seconds: float = 3.0
    without_timestamp: str = "refuse"  # or "pending": sealed at B-B, marked so, and raised when there is one again
    national: tuple[str, ...] = ()  # made beside each file by the same use: "copy" under SM2/SM3, "ses" (GB/T 38540)
    national_timestamps: tuple[str, ...] = ()  # URLs of authorities that stamp by SM3; empty: the development one
    raise_to: str = ""  # "B-LTA": files are archived by the worker, and their proof renewed in time
    raise_batch: int = 8  # files a round
    renew_days: int = 180  # before what proves the time ends
    city_url: str = ""
    city_account: str = "rongjiang-certlib"
    city_secret: str = ""  # by reference: env:NAME or file:PATH; empty: the development secret
    city_dialect: str = ""  # the mapping file of this city's names and codes; empty: the national names
    city_client: str = ""  # entry point (`certlib.city_clients`) of a client for another transport; empty: ours
    city_trust: str = ""  # PEM file of the authorities that certify the repository; empty: those of the installation
    reconcile_hour: int = 2  # of the day, Asia/Shanghai, from which the day's comparison is due; negative: never
    reconcile_repair: bool = True  # what the repository lost or changed goes out again by itself
    webhooks: tuple[Mapping[str, Any], ...] = ()  # who is told of events: see `certlib.issue.hooks`
    webhook_hosts: tuple[str, ...] = ()  # the only hosts that webhooks may go to, with port where it is not 443
    webhook_private: bool = False  # development only: targets on private addresses, and without TLS
    witnesses: tuple[Mapping[str, str], ...] = ()  # name, url, key of each; development has two of its own
    check_seconds: float = 3600.0  # between rounds of the continuous checker; 0: never
    check_sample: int = 50  # issued files verified anew each round, in turn until all have come by
    check_full_hours: float = 24.0  # between rounds over the whole journal; the others go on from the last one
    check_warn_days: int = 60  # before a certificate or a proof of time ends
    check_statement_days: float = 2.0  # how old the newest statement of reconciliation may be
    lease_seconds: int = 60
    workers: int = 1
    signer: str = ""  # socket of the process that holds the seals' keys (`certctl signer`); empty: this process does

    @classmethod
    def load(cls, path: Path | None = None, **overrides: Any) -> Settings:
        """Read `path` (a TOML file, or a home folder with `certlib.toml` in it); a missing file means the defaults.

        Raises `ConfigurationError` naming the file and the key when it cannot be read or has an unknown key.
        """
        home = (path if path is None or path.suffix != ".toml" else path.parent) or Path("certlib-home")
        file = path if path is not None and path.suffix == ".toml" else home / "certlib.toml"
        values: dict[str, Any] = {"home": home, **_read(file), **overrides}
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ConfigurationError(f"设置文件 {file.name} 中有未知的项：{'、'.join(sorted(unknown))}。")
        values["home"] = Path(values["home"])
        for key, words in _WORDS.items():
            if values.get(key, words[0]) not in words:
                raise ConfigurationError(f"设置 {key} 只能是 {'、'.join(repr(word) for word in words)}。")
        for key in ("timestamps", "witnesses", "webhooks"):
            if isinstance(values.get(key), list):
                values[key] = tuple(values[key])
        for key in ("national", "national_timestamps", "webhook_hosts"):
            values[key] = tuple(values.get(key, ()))
        if odd := set(values["national"]) - {"copy", "ses"}:
            raise ConfigurationError(f"设置 national 中有未知的项：{'、'.join(sorted(map(str, odd)))}。")
        return cls(**values)

    @property
    def caption(self) -> str:
        """What stands under each code: the one domain that may answer for it, in words for whoever does not scan."""
        return f"{self.host_words} {self.host}"

    @property
    def database_url(self) -> str:
        """The database's URL with a relative SQLite path laid below the home folder."""
        prefix = "sqlite:///"
        path = self.database.removeprefix(prefix)
        if self.database.startswith(prefix) and not path.startswith("/"):
            return f"{prefix}{(self.home / path).absolute()}"
        return self.database

    @property
    def in_development(self) -> bool:
        """Whether development keys and accounts may be used."""
        return self.environment == DEVELOPMENT


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"设置文件 {file.name} 无法读取：{error}。") from error
