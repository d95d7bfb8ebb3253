"""The Keras model: one encoder, one head per task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from polytag.encoding.tensors import head_tensors, parameter_tensors
from polytag.plugin.attribution import misfit_of
from polytag.plugin.encoder import Encoder, Tensors, head_prefix
from polytag.plugin.networks import AtPositions, InBulk

if TYPE_CHECKING:
    from polytag.engine.prediction import Predictor

HEAD_DROPOUT = 0.1


class TaggerModel(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Encoder and heads.

    Args:
        encoder: The encoder.
        labels: For each task, its labels in id order.
        parameters: For each task, the values of its head's parameters, as `Head.parameters` describes them.

    Attributes:
        parameters: For each task the variables of its head's parameters, by name.
    """

    runtime: ClassVar[str] = "tensorflow"

    def __init__(
        self,
        encoder: Encoder,
        labels: Mapping[str, Sequence[str]],
        parameters: Mapping[str, Mapping[str, NDArray[Any]]] | None = None,
    ) -> None:
        super().__init__(name="tagger")
        self.encoder = encoder
        self.network = encoder.network
        # Heads stay in float32 in every precision: otherwise a softmax over close logits loses digits.
        self.dropout = keras.layers.Dropout(HEAD_DROPOUT, dtype="float32")
        # TensorFlow allows no colon in the name of a layer, and a variant of a task has one: `ner:inner`.
        self.heads = {
            task: keras.layers.Dense(
                len(names),
                dtype="float32",
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
                name=task.replace(":", "."),
            )
            for task, names in labels.items()
        }
        if not isinstance(encoder.width, int) or encoder.width < 1:
            raise misfit_of(encoder, f"has the width {encoder.width!r:.60}, which is no positive number")
        for head in self.heads.values():
            head.build((None, None, encoder.width))
        self.parameters = {
            task: {
                name: self.add_weight(values.shape, keras.initializers.Constant(values), "float32", name=name)
                for name, values in own.items()
            }
            for task, own in (parameters or {}).items()
        }
        self.built = True
        self._copies: Callable[[], Sequence[TaggerModel]] = tuple

    @property
    def copies(self) -> Sequence[TaggerModel]:
        """The same model on other devices; none by default."""
        return self._copies()

    def set_copies(self, models: Sequence[TaggerModel]) -> None:
        """Set the copies on other devices, with which the model is trained and predicts."""
        self._copies = lambda: models  # Keras would count the variables of layers in an attribute as the model's own

    def call(self, ids: Any, mask: Any, training: bool = False) -> dict[str, Any]:
        """Logits of each task, float32 (batch, length, labels).

        Args:
            ids: int32 (batch, length, n_features).
            mask: bool (batch, length), False at padding.
            training: Whether dropout is on.
        """
        vectors = self.dropout(self._checked(self.network(ids, mask, training=training), 3), training=training)
        return {task: head(vectors) for task, head in self.heads.items()}

    def at(self, ids: Any, mask: Any, wanted: Any, training: bool = False) -> dict[str, Any]:
        """The result of `call` at some positions, computed in the fastest way.

        Args:
            ids, mask: As for `call`.
            wanted: int32 (n,), distinct positions among batch * length, none of them padding.
            training: Whether dropout is on.

        Returns:
            Logits of each task, float32 (n, labels).
        """
        if isinstance(self.network, AtPositions):
            vectors = self.dropout(self._checked(self.network.at(ids, mask, wanted, training), 2), training=training)
            return {task: head(vectors) for task, head in self.heads.items()}
        logits = self(ids, mask, training=True) if training else self.in_bulk(ids, mask)
        return {task: tf.gather(tf.reshape(all_, (-1, all_.shape[-1])), wanted) for task, all_ in logits.items()}

    def in_bulk(self, ids: Any, mask: Any) -> dict[str, Any]:
        """The result of `call` without training, but that of padding, computed in the fastest way."""
        if isinstance(self.network, InBulk):
            vectors = self.network.in_bulk(ids, mask)
        else:
            vectors = self.network(ids, mask, training=False)
        vectors = self._checked(vectors, 3)
        return {task: head(vectors) for task, head in self.heads.items()}

    @property
    def encoder_name(self) -> str:
        """The name of the encoder that the user gave."""
        return self.encoder.reference

    @property
    def n_parameters(self) -> int:
        """Number of weights."""
        return int(self.count_params())

    def scorer(self) -> Predictor:
        """A predictor of label probabilities with this model."""
        from polytag.engine.prediction import Predictor

        return Predictor(self)

    def copy_weights(self, other: TaggerModel) -> None:
        """Copy the weights of a model with the same architecture, possibly with another dtype."""
        self.encoder.copy_weights(other.encoder)
        for task, head in self.heads.items():
            head.set_weights(other.heads[task].get_weights())
        self.assign_parameters(other.head_parameters)

    @property
    def head_parameters(self) -> dict[str, dict[str, NDArray[np.float32]]]:
        """For each task the values of its head's parameters, by name."""
        return {
            task: {name: np.asarray(variable) for name, variable in own.items()}
            for task, own in self.parameters.items()
        }

    def assign_parameters(self, values: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
        """Set the values of parameters, by task and name."""
        for task, own in values.items():
            for name, value in own.items():
                self.parameters[task][name].assign(value)

    def only(self, task: str) -> TaggerModel:
        """A model of one task, with the same encoder and a copy of that task's head."""
        own = self.heads[task]
        model = TaggerModel(self.encoder, {task: [""] * own.units}, {task: self.head_parameters.get(task, {})})
        model.heads[task].set_weights(own.get_weights())
        return model

    def tensors(self) -> Tensors:
        """All weights in their saved form: the encoder's, and the heads' in the layout of PyTorch."""
        return {**self.encoder.tensors(), **self.head_tensors()}

    def head_tensors(self) -> Tensors:
        """The weights and the parameters of the heads in their saved form."""
        tensors, parameters = {}, self.head_parameters
        for task, head in self.heads.items():
            prefix = self._prefix(task)
            tensors[f"{prefix}.weight"] = np.ascontiguousarray(np.asarray(head.kernel).T)
            tensors[f"{prefix}.bias"] = np.asarray(head.bias)
            tensors |= {f"{prefix}.{name}": values for name, values in parameters.get(task, {}).items()}
        return tensors

    def assign(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Set all weights; the inverse of `tensors`.

        Raises:
            TaggerError: A tensor is missing or has the wrong shape.
        """
        self.encoder.assign(tensors)
        prefixes = {task: self._prefix(task) for task in self.heads}
        self.assign_heads(tensors, prefixes)
        self.assign_saved(tensors, prefixes)

    def assign_heads(
        self,
        tensors: Mapping[str, NDArray[Any]],
        prefixes: Mapping[str, str],
        sizes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Set the weights of some heads.

        Labels that the tensors of a head lack follow the others, and keep their new weights.

        Args:
            tensors: The weights.
            prefixes: For each of these tasks, the prefix of the names of its tensors.
            sizes: The number of labels of the tensors, for tasks whose heads have more.

        Raises:
            TaggerError: A tensor is missing or has the wrong shape.
        """
        for task, prefix in prefixes.items():
            head = self.heads[task]
            size = sizes.get(task, head.units)
            weight, bias = head_tensors(tensors, prefix, size, self.encoder.width)
            head.kernel.assign(np.hstack([weight.T, np.asarray(head.kernel)[:, size:]]))
            head.bias.assign(np.append(bias, np.asarray(head.bias)[size:]))

    def assign_saved(self, tensors: Mapping[str, NDArray[Any]], prefixes: Mapping[str, str]) -> None:
        """Set the parameters of some heads; arguments and errors as of `assign_heads`."""
        for task, prefix in prefixes.items():
            shapes = {name: tuple(variable.shape) for name, variable in self.parameters.get(task, {}).items()}
            self.assign_parameters({task: parameter_tensors(tensors, prefix, shapes)})

    def _checked(self, vectors: Any, rank: int) -> Any:
        """Check the rank and width of the vectors of the network, and return them; once per traced function.

        Raises:
            PluginError: They do not fit the contract of `Encoder.network`.
        """
        shape = getattr(vectors, "shape", None)
        if not isinstance(shape, tuple | tf.TensorShape) or len(shape) != rank or shape[-1] != self.encoder.width:
            raise misfit_of(
                self.encoder,
                f"has a network that gave {repr(vectors)[:100]}, and not vectors of the width {self.encoder.width}",
            )
        return vectors

    def _prefix(self, task: str) -> str:
        return head_prefix(task, len(self.heads))
