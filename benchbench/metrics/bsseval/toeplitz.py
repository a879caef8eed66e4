r"""Solver for symmetric positive definite block Toeplitz systems, based on FFTs.

The Gram matrix of M signals and L lags has order ML (4096 for four stereo stems), but it holds only
L different M x M blocks. Whittle's multichannel Levinson recursion [1]_ takes O(M^3 L^2) operations
where Cholesky's factorisation takes O(M^3 L^3), and its last step yields the inverse in the form of
Gohberg and Semencul [2]_, a difference of products of triangular block Toeplitz matrices, which FFTs
apply. The recursion is only weakly stable, so every solution is refined on the system itself until
its residual stops shrinking; on audio that leaves residuals as small as Cholesky's.

.. [1] P. Whittle, "On the fitting of multivariate autoregressions, and the approximate canonical
   factorization of a spectral density matrix", Biometrika 50 (1963).
.. [2] I. Gohberg, A. Semencul, "On the inversion of finite Toeplitz matrices and their continuous
   analogs", Mat. Issled. 2 (1972); block case: H. Akaike, SIAM J. Appl. Math. 24 (1973).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from numpy import fft

from benchbench.metrics.signals import Float64

__all__ = ["ToeplitzSystem"]

_EPS = float(np.finfo(np.float64).eps)
_MOST_REFINEMENTS = 12
_SOLVED = 1e-9
_HAGER_STEPS = 4
_RIDGES = (0.0, 1e-14, 1e-12, 1e-10, 1e-8)


@dataclass(frozen=True, slots=True)
class ToeplitzSystem:
    """A stack of S factorised systems ``T c = d``, built by `ToeplitzSystem.of`.

    Block (l, k) of T is ``lags[l - k]``, or the transpose of ``lags[k - l]`` above the diagonal.

    Attributes
    ----------
    condition
        Estimates of the 1-norm condition numbers, shape (S,); inf where a ridge was needed.
    ridge
        Value added to each diagonal, as a share of its mean, in addition to museval's 2.2e-16:
        shape (S,), zero for every system that is numerically positive definite.
    """

    condition: Float64
    ridge: Float64
    _gain: Float64
    _matrix: npt.NDArray[np.complex128]
    _forward: npt.NDArray[np.complex128]
    _backward: npt.NDArray[np.complex128]
    _forward_inverse: Float64
    _backward_inverse: Float64

    @classmethod
    def of(cls, lags: Float64) -> ToeplitzSystem:
        """Factorise the systems with these lag statistics.

        Parameters
        ----------
        lags
            Shape (S, L, M, M): ``lags[s, l, i, j]`` is the sum over n of x_i(n - l) x_j(n). A
            signal of zeros is decoupled: its filter comes out as zero.

        Notes
        -----
        Signals that are linearly dependent make T singular, and then the recursion breaks down or
        refinement does not converge. Then the smallest of a few ridges that solves the problem is
        added to the diagonal. The projection onto dependent signals is still unique, only its
        filters are not.

        museval adds 2.2e-16 to the diagonal at every level of the audio, so its projections of soft
        audio depend on the level. Here a signal with an energy below 1 is first multiplied by a
        power of two, so that the projections do not depend on the level.
        """
        lags = _decoupled(lags)
        gain = _gains(lags)
        original, lags = lags, lags * gain[:, None, :, None] * gain[:, None, None, :]
        diagonal = np.einsum("smm->s", lags[:, 0]) / lags.shape[-1]
        ridge = np.zeros(len(lags))
        system = cls._factorised(lags, ridge)
        for share in _RIDGES[1:]:
            bad = ~system._works()
            if not bad.any():
                break
            ridge[bad] = share
            system = cls._factorised(lags, ridge * diagonal)
        system = replace(system, _gain=gain)
        condition = np.where(ridge > 0, np.inf, system._condition(original))
        return replace(system, condition=condition, ridge=ridge)

    @classmethod
    def _factorised(cls, lags: Float64, ridge: Float64) -> ToeplitzSystem:
        stack, count, size, _ = lags.shape
        lags = lags.copy()
        lags[:, 0] += (ridge + _EPS)[:, None, None] * np.eye(size)
        forward, backward, forward_error, backward_error = _levinson(lags)
        circulant = np.zeros((stack, 2 * count, size, size))
        circulant[:, :count] = lags
        circulant[:, count + 1 :] = lags[:, :0:-1].swapaxes(2, 3)
        shifted = np.zeros_like(backward)
        shifted[:, 1:] = backward[:, :-1]
        return cls(
            np.zeros(stack),
            ridge,
            np.ones((stack, size)),
            fft.rfft(circulant, axis=1),
            fft.rfft(forward, 2 * count, axis=1),
            fft.rfft(shifted, 2 * count, axis=1),
            _inverse_if_definite(forward_error),
            _inverse_if_definite(backward_error),
        )

    def solve(self, right: Float64) -> Float64:
        """The filters c of ``T c = d``.

        Parameters
        ----------
        right
            Shape (S, L, M, K): K right-hand sides per system.

        Returns
        -------
        float64 array of the shape of `right`
        """
        gain = self._gain[:, None, :, None]
        return np.asarray(self._refined(right * gain)[0] * gain)

    def _refined(self, right: Float64) -> tuple[Float64, Float64]:
        """Solutions and their relative residuals, shape (S,)."""
        scale = np.abs(right).max(axis=(1, 2, 3))
        scale = np.where(scale > 0, scale, 1.0)
        best = self._apply_inverse(right)
        residual = right - self._apply(best)
        error = np.abs(residual).max(axis=(1, 2, 3)) / scale
        for _ in range(_MOST_REFINEMENTS):
            trial = best + self._apply_inverse(residual)
            trial_residual = right - self._apply(trial)
            trial_error = np.abs(trial_residual).max(axis=(1, 2, 3)) / scale
            better = trial_error < error
            best[better] = trial[better]
            residual[better] = trial_residual[better]
            halved = trial_error < error / 2
            error = np.where(better, trial_error, error)
            if not (halved & (error > _EPS)).any():
                break
        return best, error

    def _works(self) -> npt.NDArray[np.bool_]:
        """Which systems are positive definite and solved accurately for a rough solution."""
        stack, count, size = len(self.ridge), self._forward.shape[1] - 1, self._matrix.shape[-1]
        probe = self._apply(np.repeat(_rough(count, size), stack, axis=0))
        definite = np.isfinite(self._forward_inverse).all(axis=(1, 2))
        definite &= np.isfinite(self._backward_inverse).all(axis=(1, 2))
        with np.errstate(invalid="ignore", over="ignore"):
            _, error = self._refined(probe)
        return np.asarray(definite & (error < _SOLVED))

    def _apply(self, x: Float64) -> Float64:
        return _filtered(self._matrix, x)

    def _apply_inverse(self, y: Float64) -> Float64:
        count = y.shape[1]
        spectra = fft.rfft(y, 2 * count, axis=1)
        plus = self._forward_inverse[:, None] @ _product(_adjoint(self._forward), spectra, count)
        minus = self._backward_inverse[:, None] @ _product(_adjoint(self._backward), spectra, count)
        return _filtered(self._forward, plus) - _filtered(self._backward, minus)

    def _condition(self, lags: Float64) -> Float64:
        """1-norm condition numbers: the norm exactly, the inverse's by Hager's estimate [3]_.

        .. [3] W. W. Hager, "Condition estimates", SIAM J. Sci. Stat. Comput. 5 (1984).
        """
        stack, count, size, _ = lags.shape
        shape = (stack, count, size, 1)
        flat = (stack, count * size)
        x = np.full(shape, 1.0 / (count * size))
        estimate = np.zeros(stack)
        last = np.full(stack, -1)
        for step in range(_HAGER_STEPS):
            y = self.solve(x)
            estimate = np.maximum(estimate, np.abs(y).sum(axis=(1, 2, 3)))
            if step == _HAGER_STEPS - 1:
                break
            z = self.solve(np.where(y < 0, -1.0, 1.0)).reshape(flat)
            peaks = np.abs(z).argmax(axis=1)
            if np.array_equal(peaks, last):  # the next step would repeat this one
                break
            last = peaks
            x = np.zeros(flat)
            x[np.arange(stack), peaks] = 1.0
            x = x.reshape(shape)
        return np.asarray(estimate * _one_norm(lags))


def _rough(count: int, size: int) -> Float64:
    """Random signs of shape (1, count, size, 1), the same in every call.

    They are bits of splitmix64 (Steele, Lea, Flood 2014), because loading NumPy's generators takes
    longer than factorising the systems of a track.
    """
    state = np.arange(1, count * size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    signs = 1.0 - 2.0 * ((state ^ (state >> np.uint64(31))) >> np.uint64(63)).astype(np.float64)
    return np.asarray(signs.reshape(1, count, size, 1))


def _levinson(lags: Float64) -> tuple[Float64, Float64, Float64, Float64]:
    """Forward and backward predictors of full order and their error covariances.

    Returns
    -------
    forward, backward
        Shape (S, L, M, M) with ``T forward = [E_f, 0, ...]`` and ``T backward = [..., 0, E_b]``.
    forward_error, backward_error
        E_f and E_b, shape (S, M, M).
    """
    stack, count, size, _ = lags.shape
    # Blocks of the lags count - 1, ..., 0 side by side: step k needs k neighbouring ones.
    panel = lags[:, ::-1].swapaxes(1, 2).reshape(stack, size, count * size)
    forward = np.zeros((stack, count * size, size))
    backward = np.zeros((stack, count * size, size))  # grows from the end to the front
    forward[:, :size] = np.eye(size)
    backward[:, -size:] = np.eye(size)
    forward_error, backward_error = lags[:, 0].copy(), lags[:, 0].copy()
    with np.errstate(all="ignore"):
        for step in range(1, count):
            used, front = step * size, (count - step) * size
            gap = panel[:, :, front - size : -size] @ forward[:, :used]
            to_forward = _solve(backward_error, gap)
            to_backward = _solve(forward_error, gap.swapaxes(1, 2))
            change = forward[:, :used] @ to_backward
            forward[:, size : used + size] -= backward[:, front:] @ to_forward
            backward[:, front - size : -size] -= change
            forward_error -= gap.swapaxes(1, 2) @ to_forward
            backward_error -= gap @ to_backward
    shape = (stack, count, size, size)
    return forward.reshape(shape), backward.reshape(shape), forward_error, backward_error


def _solve(matrix: Float64, right: Float64) -> Float64:
    """Solutions of small systems, NaN for those that are exactly singular."""
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        if len(matrix) == 1:
            return np.full(right.shape, np.nan)
        pairs = zip(matrix, right, strict=True)
        return np.concatenate([_solve(one[None], other[None]) for one, other in pairs])


def _inverse_if_definite(matrix: Float64) -> Float64:
    """Inverses of symmetric matrices, NaN where one is not positive definite."""
    out = np.full(matrix.shape, np.nan)
    for index, one in enumerate(matrix):
        if np.isfinite(one).all() and np.linalg.eigvalsh(one)[0] > 0:
            out[index] = np.linalg.inv(one)
    return out


def _decoupled(lags: Float64) -> Float64:
    """Put a nonzero value on the diagonal of silent signals, so that T is not singular."""
    energy = np.einsum("smm->sm", lags[:, 0])
    most = energy.max(axis=1, keepdims=True)
    silent = energy == 0.0
    if not silent.any():
        return lags
    out = lags.copy()
    substitute = np.where(silent, np.where(most > 0, most, 1.0), 0.0)
    np.einsum("smm->sm", out[:, 0])[...] += substitute
    return out


def _gains(lags: Float64) -> Float64:
    """Powers of two that raise the energy of each soft signal to at least 1, shape (S, M)."""
    energy = np.einsum("smm->sm", lags[:, 0])
    soft = np.clip(energy, np.finfo(np.float64).tiny, 1.0)
    return np.asarray(np.exp2(np.ceil(-0.5 * np.log2(soft))))


def _one_norm(lags: Float64) -> Float64:
    """Largest absolute column sum of each T, shape (S,)."""
    size = np.abs(lags)
    below = np.cumsum(size.sum(axis=2), axis=1)  # block column l holds the lags 0 to L - 1 - l
    above = np.cumsum(size.sum(axis=3), axis=1) - size[:, :1].sum(axis=3)
    return np.asarray((below[:, ::-1] + above).max(axis=(1, 2)))


def _filtered(spectra: npt.NDArray[np.complex128], x: Float64) -> Float64:
    """Multiply by the block Toeplitz matrix with these spectra; shape of `x` kept."""
    count = x.shape[1]
    return _product(spectra, fft.rfft(x, 2 * count, axis=1), count)


def _product(
    matrix: npt.NDArray[np.complex128], x: npt.NDArray[np.complex128], count: int
) -> Float64:
    """Like `_filtered`, for the spectra of `count` blocks."""
    product = matrix @ x
    return np.asarray(fft.irfft(product, 2 * count, axis=1)[:, :count])


def _adjoint(spectra: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    return np.conj(spectra.swapaxes(2, 3))
