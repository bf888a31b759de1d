"""One JSON line per log record, with the id of the request that it belongs to."""

import json
import logging
import logging.config
from contextvars import ContextVar
from datetime import UTC, datetime

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request being answered; threads that work for it get it with :func:`contextvars.copy_context`."""
FIELDS = "fields"  # extra={FIELDS: {…}} puts fields of its own into a record's line
OURS = ("serving", "models", "features")
THEIRS = ("bentoml", "uvicorn.error", "circus")  # BentoML gives these handlers of its own
LEVELS = dict.fromkeys(OURS, "INFO") | {"bentoml": "INFO"}


class JsonFormatter(logging.Formatter):
    """``time`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, then ``request_id``, the record's own fields and
    ``trace`` where there are any. The id is the one of the context that writes the line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST_ID.get(),
            **getattr(record, FIELDS, {}),
            "trace": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in line.items() if value is not None}, ensure_ascii=False)


def configure_logs() -> None:
    """Everything that this process logs from now on is a line of JSON on standard output: ours, BentoML's, warnings."""
    logging.captureWarnings(True)
    loggers = {
        name: {"level": LEVELS.get(name, "WARNING"), "handlers": [], "propagate": True} for name in (*OURS, *THEIRS)
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonFormatter}},
            "handlers": {
                "lines": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stdout"}
            },
            "loggers": loggers,
            "root": {"level": "WARNING", "handlers": ["lines"]},
        }
    )
