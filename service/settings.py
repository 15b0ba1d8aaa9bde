"""The settings of the HTTP service: `service.toml` in the office's home folder and `CERTLIB_SERVICE_…` variables.

    listen = "127.0.0.1"
    port = 8000
    public_url = "https://zwfw.ganzhou.example"

    [[clients]]
    id = "client-approval-system"
    name = "一窗受理系统"
    authority = "*"
    scopes = ["certificate:read", "certificate:issue"]
    key = "file:/etc/certlib/approval-system.jwk"
    purpose = "办理行政审批事项"

The settings of the office itself (database, keys, host printed in the code) are `certlib.issue.settings.Settings`.
Nothing is read at import; `commands` builds both in `main` and passes them down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from certlib.errors import ConfigurationError

Megabytes = 1_000_000


class ClientSettings(BaseModel):
    """One client of the service (办件系统) as it stands in the settings.

    `authority` is a catalogue key: the tenant it acts for, `*` for every authority of the city. `key` is its
    public key (P-256, JWK or PEM) by reference: `file:PATH`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,63}$")]
    name: str
    authority: str
    scopes: tuple[str, ...]
    key: str
    purpose: str = ""  # for which it sees personal data; empty: each request names its own (Access-Purpose)


class ServiceSettings(BaseSettings):
    """How the service listens, whom it knows, and where its limits are. Sizes are bytes, times are seconds."""

    model_config = SettingsConfigDict(env_prefix="CERTLIB_SERVICE_", frozen=True, extra="forbid")

    listen: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""  # empty: what it listens on
    certificate: Path | None = None  # TLS, for phones: WebCrypto needs a secure context
    certificate_key: Path | None = None
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")  # whose X-Forwarded-For is believed
    metrics_for: tuple[str, ...] = ("127.0.0.0/8", "::1/128")

    clients: tuple[ClientSettings, ...] = ()
    token_key: str = ""  # file:PATH of a P-256 key in PEM; empty: the development key
    token_seconds: int = 300
    counters: str = "memory://"  # of rate limits and used assertions; redis://… when several processes share them

    json_bytes: int = 1 * Megabytes
    upload_bytes: int = 20 * Megabytes
    issuing_places: int = 4
    issuing_queue: int = 64
    checking_places: int = 2
    checking_queue: int = 8
    patience_seconds: float = 10.0  # how long a request waits for a place before 503
    lookups_per_minute: int = 30  # public look-ups by number, per address
    lookups_per_number: int = 20  # public look-ups of one number, per hour
    digests_per_minute: int = 600  # public look-ups of a file by its SHA-256, per address; nobody guesses those
    uploads_per_minute: int = 10
    drain_seconds: float = 0.0  # between "not ready" and the last accepted connection

    permits_template: Path | None = None  # 双公示: the credit platform's own field mapping (TOML); empty: XK_*

    worker: bool = True  # run deliveries, sweeps and sequencing in this process
    tick_seconds: float = 0.5

    @property
    def base(self) -> str:
        """The public address without a final slash."""
        scheme = "https" if self.certificate else "http"
        return (self.public_url or f"{scheme}://{self.listen}:{self.port}").rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments come before variables, variables before the file."""
        del dotenv_settings, file_secret_settings
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def load_service_settings(home: Path, **overrides: Any) -> ServiceSettings:
    """Read `service.toml` of `home`, if there is one, and the environment.

    Raises `ConfigurationError` naming each wrong entry.
    """

    class FromHome(ServiceSettings):
        model_config = SettingsConfigDict(toml_file=home / "service.toml")

    try:
        return FromHome(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        places = "；".join(
            f"{'.'.join(str(part) for part in fault['loc'])}：{fault['msg']}" for fault in error.errors()
        )
        raise ConfigurationError(f"服务设置有误：{places}") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"服务设置文件 {home / 'service.toml'} 无法读取：{error}") from error
