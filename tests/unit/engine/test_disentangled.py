"""Scores of relative positions, against their definition."""

from __future__ import annotations

import numpy as np
import pytest

from polytag.encoding.relative_positions import bucket_of
from polytag.engine.encoders.disentangled import RelativeScores

BUCKETS, LONGEST = 6, 20


@pytest.mark.parametrize("length", [1, 2, 7, 12, LONGEST])
def test_each_score_is_looked_up_by_the_bucket_of_the_distance(length: int) -> None:
    random = np.random.default_rng(0)
    query, key = random.normal(size=(2, 2, 3, length, 4)).astype(np.float32)
    of_positions = random.normal(size=(2 * BUCKETS, 3, 3, 4)).astype(np.float32)

    distances = np.arange(length)[:, None] - np.arange(length)
    of_queries, of_keys, _ = of_positions[bucket_of(distances, BUCKETS, LONGEST)].transpose(2, 0, 1, 3, 4)
    expected = np.einsum("bhid,ijhd->bhij", query, of_keys) + 0.5 * np.einsum("bhjd,ijhd->bhij", key, of_queries)

    scores = RelativeScores(BUCKETS, LONGEST)
    nearby = np.asarray(scores.nearby(of_positions, length))
    assert len(nearby) == min(2 * length + 1, len(set(bucket_of(np.arange(-length, length + 1), BUCKETS, LONGEST))))
    found = scores.scores(query, key, nearby, 0.5, length)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_distances_have_buckets_of_their_own_up_to_half_of_them() -> None:
    assert bucket_of(np.arange(-4, 5), 6, 20).tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert bucket_of(np.array([-19, -8, -7, 7, 8, 19]), 6, 20).tolist() == [1, 1, 2, 10, 11, 11]
