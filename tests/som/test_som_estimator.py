"""The estimator: scikit-learn's own checks, and what its methods mean."""

import numpy as np
import pytest
from sklearn import datasets
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from agents.som_estimator import SomTransformer


@parametrize_with_checks([SomTransformer((4, 3))])
def test_it_keeps_the_rules_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def iris() -> np.ndarray:
    return StandardScaler().fit_transform(datasets.load_iris().data)


def test_places_are_those_of_the_winners(iris):
    som = SomTransformer((8, 6), random_state=0).fit(iris)
    winners, places = som.predict(iris), som.transform(iris)
    assert (places[:, 0] * 6 + places[:, 1] == winners).all()
    weights = som.inverse_transform(places)
    assert np.array_equal(weights, som.som_.weights("x").numpy()[winners])
    assert som.score(iris) == pytest.approx(-float(((weights - iris) ** 2).mean(1).mean()), rel=1e-5)


def test_it_works_in_a_pipeline_with_names():
    frame = datasets.load_iris().data
    pipeline = make_pipeline(StandardScaler(), SomTransformer((5, 5), random_state=0)).fit(frame)
    assert pipeline.transform(frame).shape == (150, 2)
    assert list(pipeline.get_feature_names_out()) == ["somtransformer0", "somtransformer1"]


def test_partial_fit_learns_what_is_new_and_keeps_what_it_knew(iris):
    setosa, others = iris[:50], iris[50:]
    som = SomTransformer((12, 12), random_state=0).fit(setosa)
    before, unknown = som.score(setosa), som.score(others)
    for part in np.array_split(others, 4):
        som.partial_fit(part)
    assert som.score(others) > unknown / 2
    assert som.score(setosa) > 2 * before - 0.05


def test_a_wrong_parameter_is_named(iris):
    with pytest.raises(ValueError, match="got last_sigma=-1"):
        SomTransformer(last_sigma=-1).fit(iris)


@pytest.mark.parametrize("topology", ["torus", "hexagonal"])
def test_a_topology_stays_when_the_map_goes_on_learning(iris, topology):
    som = SomTransformer((8, 6), topology=topology, random_state=0).fit(iris[:100])
    assert som.som_.topology == topology
    assert som.partial_fit(iris[100:]).som_.topology == topology
    assert clone(som).get_params()["topology"] == topology
