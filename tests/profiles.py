"""A profile small enough to compute by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from judgekit.calibration import Conformal, Curve, Linear
from judgekit.calibration.maps import Map
from judgekit.calibration.profile import Calibrated, Data, Figure, Fit, Profile, Rater, Scale

LINE = Linear(type="linear", intercept=1.0, slopes=(0.5,), scale=(1.0, 5.0), support=((1.0, 5.0),), n=30)
FLAT = Curve(
    type="isotonic", x=(1.0, 2.0, 4.0, 5.0), y=(1.0, 3.0, 3.0, 5.0), scale=(1.0, 5.0), support=((1.0, 5.0),), n=30
)


def margin(of: Map, reach: float) -> Conformal:
    """Intervals of the map's score and ``reach`` to both sides."""
    return Conformal(
        type="split", by_category=False, maps=(of,), fold=(0,), residuals=(reach,), weights=(1.0,), categories=("",),
        coverage=0.9, scale=of.scale, step=None, labels=30, groups=10,
    )  # fmt: skip


def criterion(of: str = "criterion", fitted: Map = LINE, reach: float = 0.7) -> Calibrated:
    return Calibrated.made(of, fitted, margin(fitted, reach), {"item": Figure(value=0.5, low=0.4, high=0.6, n=30)}, {})


def profile_of(
    criteria: dict[str, Calibrated] | None = None, *, fingerprint: str | None = None, days: int = 30, **changes: Any
) -> Profile:
    """A profile made today; days below 0: it has expired."""
    content: dict[str, Any] = {
        "created": date.today(),
        "expires": date.today() + timedelta(days),
        "judge": Rater(name="tiny", fingerprint=fingerprint),
        "scale": Scale(low=1, high=5, step=1),
        "criteria": criteria or {"plot": criterion(), "overall": criterion("mean", FLAT)},
        "unmapped": {},
        "data": Data(items=30, groups=10, raters=3, sha256="00", simulated=False),
        "fit": Fit(version="0", seed=0, draws=100),
        "gates": (),
    }
    return Profile.sealed(**content | changes)
