"""The map as an estimator of scikit-learn, and clusters of its neurons; needs the extra `sklearn`."""

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.cluster import AgglomerativeClustering
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from .som.distances import Distance
from .som.grid import Topology
from .som.modalities import Modalities
from .som.som import MultiModalSom
from .som_training.coarse_to_fine import train
from .som_training.online import OnlineSom

_NAME = "x"


def neuron_clusters(som: MultiModalSom, count: int) -> NDArray[np.int64]:
    """Groups the neurons of a map into connected clusters of similar ones, by scikit-learn's `AgglomerativeClustering`.

    Only neighbors on the map are joined: with the distance l2 by Ward's rule, with l1 by the mean distance.

    Args:
        som: the map.
        count: number of clusters.

    Returns:
        The cluster of each neuron, from 0, shape (X, Y).

    Raises:
        ValueError: there are fewer neurons than clusters, or no cluster.
    """
    layout = Modalities.of(som.modalities, som.c, som.distance)
    scales = layout.scales(som.modalities)
    weights = torch.cat([som.weights(name).cpu() for name in som.modalities], 1)
    neurons = torch.arange(len(weights))
    neighbors = som.grid.neighbors(neurons, diagonals=False).numpy()
    rows = np.repeat(neurons.numpy(), neighbors.shape[1])
    near = coo_array((np.ones(neighbors.size), (rows, neighbors.ravel())), shape=(len(weights), len(weights)))
    if som.distance == "l2":
        grouping = AgglomerativeClustering(count, connectivity=near, linkage="ward")
        weights = weights * scales.sqrt()
    else:
        grouping = AgglomerativeClustering(count, connectivity=near, metric="manhattan", linkage="average")
        weights = weights * scales
    clusters: NDArray[np.int64] = grouping.fit_predict(weights.numpy()).reshape(som.shape)
    return clusters


class SomTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A self-organizing map that reduces samples to places on a plane.

    ```python
    places = make_pipeline(StandardScaler(), SomTransformer((30, 30))).fit_transform(features)  # (N, 2)
    ```

    Parameters:
        shape: rows and columns of the map.
        last_sigma: radius of the last epoch in neurons; smaller radii follow the samples more closely, larger ones give fewer
            folds. By default it depends on the number of samples per neuron.
        epochs: passes over the samples at the full size; by default 3 to 30, fewer for larger maps.
        distance: "l2" (Euclid) or "l1".
        topology: "plane", "torus" or "hexagonal".
        random_state: seed of the initial map.

    Attributes:
        som_: the trained `MultiModalSom`, with one modality.
        n_features_in_: number of features of a sample, D.
        feature_names_in_: their names, if the samples of `fit` had names.
    """

    def __init__(
        self,
        shape: tuple[int, int] = (10, 10),
        *,
        last_sigma: float | None = None,
        epochs: int | None = None,
        distance: Distance = "l2",
        topology: Topology = "plane",
        random_state: Any = None,
    ) -> None:
        self.shape = shape
        self.last_sigma = last_sigma
        self.epochs = epochs
        self.distance = distance
        self.topology = topology
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Trains a map.

        Args:
            X: samples, shape (N, D); scale the features to a similar spread first.
            y: ignored.

        Raises:
            ValueError: the samples or a parameter are wrong.
        """
        rows = validate_data(self, X, dtype=[np.float64, np.float32])
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        self.som_: MultiModalSom = train(
            {_NAME: rows},
            self.shape,
            seed=seed,
            last_sigma=self.last_sigma,
            epochs=self.epochs,
            distance=self.distance,
            topology=self.topology,
        )
        self._online: OnlineSom | None = None
        self._n_features_out = 2
        return self

    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Goes on learning from more samples, and keeps what it knows (see `OnlineSom`); the first call is `fit`.

        Args:
            X: samples, shape (N, D).
            y: ignored.
        """
        if not hasattr(self, "som_"):
            return self.fit(X)
        rows = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        if self._online is None:
            self._online = OnlineSom(self.som_, replay=1.0)
        self._online.update({_NAME: rows})
        self.som_ = self._online.snapshot()
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """The winner of each sample, flat indices (N,): neuron (x, y) has the index x * columns + y."""
        rows = self._checked(X)
        winners: NDArray[np.int64] = self.som_.winners({_NAME: rows}).numpy()
        return winners

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """The place of each sample's winner, row and column, shape (N, 2).

        On a hexagonal map, `som_.grid.places(winners)` tells where these lie in the plane.
        """
        rows = self._checked(X)
        return np.stack(np.divmod(self.predict(rows), self.som_.shape[1]), 1).astype(rows.dtype)

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """The weights of the neurons nearest to places (N, 2), shape (N, D)."""
        check_is_fitted(self)
        last = np.array(self.som_.shape) - 1
        rows, columns = np.clip(np.rint(check_array(X)), 0, last).astype(int).T
        neurons = torch.from_numpy(rows * self.som_.shape[1] + columns)
        weights: NDArray[np.float32] = self.som_.weights_at(_NAME, neurons).numpy()
        return weights

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Minus the quantization error: the mean distance between the samples and their winners; larger is better."""
        rows = self._checked(X)
        return -float(self.som_.nearest({_NAME: rows})[0].mean())

    def _checked(self, X: ArrayLike) -> NDArray[Any]:
        check_is_fitted(self)
        rows: NDArray[Any] = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
