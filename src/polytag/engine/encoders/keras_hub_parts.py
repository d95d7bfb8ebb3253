"""The parts of KerasHub that the engine uses."""

from polytag.engine.borrowed import borrowed
from polytag.engine.lean_imports import without_models_of, without_optional_packages

with borrowed("keras-hub"), without_optional_packages(), without_models_of("keras_hub"):
    from keras_hub.src.layers.modeling.transformer_encoder import TransformerEncoder
    from keras_hub.src.models.deberta_v3.deberta_v3_backbone import DebertaV3Backbone
    from keras_hub.src.models.deberta_v3.disentangled_attention_encoder import DisentangledAttentionEncoder
    from keras_hub.src.models.electra.electra_backbone import ElectraBackbone
    from keras_hub.src.utils.transformers import (
        convert_albert,
        convert_bert,
        convert_distilbert,
        convert_roberta,
        convert_xlm_roberta,
    )

__all__ = [
    "DebertaV3Backbone",
    "DisentangledAttentionEncoder",
    "ElectraBackbone",
    "TransformerEncoder",
    "convert_albert",
    "convert_bert",
    "convert_distilbert",
    "convert_roberta",
    "convert_xlm_roberta",
]
