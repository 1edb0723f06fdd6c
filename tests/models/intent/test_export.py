from collections import Counter

import numpy as np
import onnx
import pytest
import torch

from finml.errors import ModelError
from finml.models.intent.encoder import packed, session_of
from finml.models.intent.export import export_float
from finml.models.intent.network import Network
from finml.models.intent.packing import require_packable
from finml.models.intent.quantization import quantize

TOKENS = [[5, 6, 7], [8, 9, 10, 11, 12, 13], [20, 21], [5, 6, 7, 8]]
SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
}


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request):
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(1)
    return AutoModel.from_config(AutoConfig.for_model(request.param, **SIZES)).eval()


@pytest.fixture(scope="module")
def network(encoder):
    return Network(encoder, 2).eval()


@pytest.fixture(scope="module")
def wanted(network):
    with torch.inference_mode():
        return np.concatenate([network(torch.tensor([text])).numpy() for text in TOKENS])


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    file = tmp_path_factory.mktemp("exported") / "float.onnx"
    export_float(network, file, TOKENS)
    return file


def test_packed_texts_get_the_embeddings_of_the_network(exported, wanted):
    assert session_of(exported).run(None, packed(TOKENS))[0] == pytest.approx(wanted, abs=1e-5)


def test_every_linear_layer_has_8_bits_and_queries_keys_and_values_are_one(exported, wanted, tmp_path):
    file = tmp_path / "int8.onnx"
    quantize(exported, file, TOKENS)
    model = onnx.load(file)
    found = Counter(node.op_type for node in model.graph.node)
    assert found["MatMulIntegerToFloat"] == 4 * SIZES["num_hidden_layers"]
    # attention's own products, of which no side is constant
    assert found["MatMul"] == 2 * SIZES["num_hidden_layers"]
    whole = sum(
        np.prod(each.dims) for each in model.graph.initializer if each.data_type == onnx.TensorProto.INT8
    )
    assert whole > 0.8 * sum(np.prod(each.dims) for each in model.graph.initializer)
    served = session_of(file).run(None, packed(TOKENS))[0]
    assert (served * wanted).sum(axis=1) == pytest.approx(1, abs=5e-3)


def test_no_token_far_off_changes_another_text(exported, tmp_path):
    file = tmp_path / "int8.onnx"
    quantize(exported, file, TOKENS)
    model = onnx.load(file)
    session = session_of(file)
    for text in TOKENS:
        alone = session.run(None, packed([text]))[0][0]
        for company in ([TOKENS[1]], TOKENS, TOKENS[::-1] * 3):
            assert session.run(None, packed([*company, text]))[0][-1] == pytest.approx(alone, abs=1e-6)
    assert not any(node.op_type == "DynamicQuantizeLinear" for node in model.graph.node)


def test_an_encoder_that_looks_at_more_than_places_is_refused():
    from transformers import AutoConfig, AutoModel

    encoder = AutoModel.from_config(AutoConfig.for_model("mpnet", **SIZES))
    with pytest.raises(ModelError, match="when texts are packed") as caught:
        require_packable(encoder, TOKENS)
    assert "FINML_INTENT_BASE" in caught.value.hint


def test_one_that_can_be_packed_is_left_as_it_was(encoder):
    before = encoder.config._attn_implementation
    require_packable(encoder, TOKENS)
    assert encoder.config._attn_implementation == before


def test_a_network_that_is_not_what_was_exported_is_noticed(network, tmp_path, monkeypatch):
    monkeypatch.setattr(network, "forward", lambda ids: torch.ones((1, SIZES["hidden_size"])))
    with pytest.raises(ModelError, match="embeddings differ"):
        export_float(network, tmp_path / "float.onnx", TOKENS)
