"""Labels that are wrong at rates that the labels themselves betray: false alarms among the innocent, misses among the
guilty."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.calibration import PlattCalibrator, effective

Values = npt.NDArray[np.float64]
# What reviewers are believed to do before their labels are seen, as counts (wrong, all) of imagined reviews.
FALSE_ALARMS, MISSES = (1.0, 20.0), (2.0, 10.0)
SLOPE_PRECISION = 2.0  # what learned from noisy labels is too flat: its slope is believed less than a clean model's
STEPS = 200
ENOUGH = 1e-5  # change of the rates at which they stand


@dataclass(frozen=True)
class LabelNoise:
    """P(label | truth): ``false_alarm`` of the innocent are called guilty, ``miss`` of the guilty innocent."""

    false_alarm: float = FALSE_ALARMS[0] / FALSE_ALARMS[1]
    miss: float = MISSES[0] / MISSES[1]

    def guilt(self, probabilities: Values, labels: Values) -> Values:
        """(r,) P(guilty | label) by Bayes, where ``probabilities`` are those of guilt without the label."""
        guilty = probabilities * np.where(labels == 1, 1 - self.miss, self.miss)
        innocent = (1 - probabilities) * np.where(labels == 1, self.false_alarm, 1 - self.false_alarm)
        return np.asarray(guilty / (guilty + innocent))


def calibrated_to_guilt(raw: Values, labels: Values, weight: Values) -> tuple[PlattCalibrator, LabelNoise]:
    """The calibrator from ``raw`` (r,) scores of rows not learned from to P(guilty), and the noise of the ``labels``.

    The most probable of both together: P(label) = ρ₀ + (1 − ρ₀ − ρ₁) σ(slope · logit raw + intercept), so that the
    lowest scores tell the false alarms and the highest the misses. By EM (Dempster, Laird and Rubin, 1977; logistic
    regression with noisy labels after Raykar et al., JMLR 2010), until the rates stand.
    """
    weight = effective(weight)
    calibrator, noise = PlattCalibrator.fit(raw, labels, weight), LabelNoise()
    for _ in range(STEPS):
        guilt = noise.guilt(calibrator.predict(raw), labels)
        calibrator = PlattCalibrator.fit(raw, guilt, weight, SLOPE_PRECISION)
        before, noise = noise, _rates(guilt, labels, weight)
        if abs(noise.false_alarm - before.false_alarm) + abs(noise.miss - before.miss) < ENOUGH:
            break
    return calibrator, noise


def _rates(guilt: Values, labels: Values, weight: Values) -> LabelNoise:
    innocent, guilty = weight * (1 - guilt), weight * guilt
    return LabelNoise(_rate(innocent, labels, FALSE_ALARMS), _rate(guilty, 1 - labels, MISSES))


def _rate(rows: Values, wrong: Values, prior: tuple[float, float]) -> float:
    return float((rows @ wrong + prior[0]) / (rows.sum() + prior[1]))
