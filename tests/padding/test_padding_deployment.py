"""Converted models on their way out: export, ONNX, several processes, compilation in one graph."""

import multiprocessing
import os
import socket

import pytest
import torch
import torch.distributed as dist
from torch import nn

from borderlab.padding import PADDING_MODES, set_padding_mode

EXPORTED_MODES = sorted(PADDING_MODES)


def small_model(mode):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 5, 2, 2, bias=False)).eval()
    set_padding_mode(model, mode)
    return model


def image(*size):
    return torch.randn(size, generator=torch.Generator().manual_seed(1))


@pytest.mark.slow
@pytest.mark.parametrize("mode", EXPORTED_MODES)
def test_export_with_dynamic_sizes(mode):
    model = small_model(mode)
    dimensions = {0: torch.export.Dim("n", max=8), 2: torch.export.Dim("h", min=6, max=64)}
    dimensions[3] = torch.export.Dim("w", min=6, max=64)
    module = torch.export.export(model, (image(2, 3, 12, 11),), dynamic_shapes=(dimensions,)).module()
    for size in ((2, 3, 12, 11), (1, 3, 7, 20), (5, 3, 33, 6)):
        torch.testing.assert_close(module(image(*size)), model(image(*size)))


@pytest.mark.slow
@pytest.mark.parametrize("mode", EXPORTED_MODES)
def test_one_dynamic_graph(mode):
    """A second size and a third need no break and no other graph than the dynamic one."""
    torch._dynamo.reset()
    model, graphs = small_model(mode), []

    def count(graph, inputs):
        graphs.append(graph)
        return graph

    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend=count)
    for size in ((2, 3, 12, 11), (2, 3, 9, 20), (2, 3, 33, 7)):
        torch.testing.assert_close(compiled(image(*size)), model(image(*size)))
    assert len(graphs) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", EXPORTED_MODES)
def test_onnx_runtime_agrees(mode, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    model, x = small_model(mode), image(2, 3, 12, 11)
    path = tmp_path / "model.onnx"
    torch.onnx.export(model, (x,), path, dynamo=True)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    measured = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    torch.testing.assert_close(torch.from_numpy(measured), model(x), rtol=1e-4, atol=1e-5)


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def train_one_step(rank, mode, port, results):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=2)
    parallel = nn.parallel.DistributedDataParallel(small_model(mode))
    parallel(image(4, 3, 9, 8)[rank::2]).square().mean().backward()
    if rank == 0:
        results.put({name: p.grad.numpy() for name, p in parallel.module.named_parameters()})
    dist.barrier()
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["partial", "pp_pad"])
def test_two_processes_have_the_gradients_of_one(mode):
    context = multiprocessing.get_context("spawn")
    results, port = context.Queue(), free_port()
    workers = [context.Process(target=train_one_step, args=(rank, mode, port, results)) for rank in range(2)]
    for worker in workers:
        worker.start()
    gradients = results.get(timeout=120)
    for worker in workers:
        worker.join(timeout=60)
        assert worker.exitcode == 0
    model = small_model(mode)
    model(image(4, 3, 9, 8)).square().mean().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(torch.from_numpy(gradients[name]), parameter.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_in_half_precision_and_channels_last(mode, dtype):
    model, x = small_model(mode), image(2, 3, 12, 11)
    expected = model(x)
    half = small_model(mode).to(dtype, memory_format=torch.channels_last)
    y = half(x.to(dtype, memory_format=torch.channels_last))
    assert y.dtype == dtype
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(y.float(), expected, rtol=5e-2, atol=5e-2)


@pytest.mark.parametrize("mode", sorted(PADDING_MODES))
def test_autocast_trains(mode):
    model = small_model(mode)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(image(2, 3, 12, 11)).float().square().mean()
    loss.backward()
    gradients = [parameter.grad for name, parameter in model.named_parameters() if "border_net" not in name]
    assert all(gradient.dtype == torch.float32 and gradient.isfinite().all() for gradient in gradients)
