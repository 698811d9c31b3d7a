"""`faced serve` as a process of its own."""

import re
import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest

from faced_models.errors import WeightsError
from faced_proto.v1 import service_pb2, service_pb2_grpc
from faced_service import networks as networks_module
from faced_service import serving as serving_module
from faced_service.main import main


class Served:
    """A server process; `lines` is what it said on standard error so far."""

    def __init__(self, *flags):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faced_service.main", "serve", "--port", "0", *flags],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = []
        self._reader = threading.Thread(target=lambda: self.lines.extend(self.process.stderr))
        self.address = None
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.fullmatch(r"faced: serving on (\S+), cpu, onnxruntime, exact\n", line)
            if found:
                self.address = found[1]
                break
        self._reader.start()

    def end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(30)
        self._reader.join()
        output = self.process.stdout.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_finishes_what_runs(number, raw_face):
    served = Served()
    assert served.address, served.lines
    with grpc.insecure_channel(served.address) as channel:
        stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
        assert len(stub.Analyze(service_pb2.AnalyzeRequest(image=raw_face)).analysis.faces) == 1
        calls = [stub.Analyze.future(service_pb2.AnalyzeRequest(image=raw_face)) for _ in range(3)]
        time.sleep(0.05)
        code, output = served.end(number)
        assert [len(call.result().analysis.faces) for call in calls] == [1, 1, 1]
    assert (code, output) == (0, "")


def test_an_address_in_use_is_its_own_exit_code(target):
    served = Served()
    try:
        second = subprocess.run(
            [sys.executable, "-m", "faced_service.main", "serve", "--port", served.address.rpartition(":")[2]],
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        served.end(signal.SIGTERM)
    assert second.returncode == 4
    assert f"cannot listen on {served.address}" in second.stderr
    assert "Traceback" not in second.stderr


def test_messages_above_the_limit_are_refused_and_the_next_one_works(raw_face):
    served = Served("--max-message-bytes", "300000")
    try:
        with grpc.insecure_channel(served.address) as channel:
            stub = service_pb2_grpc.FaceAnalysisServiceStub(channel)
            large = service_pb2.AnalyzeRequest()
            large.image.encoded = bytes(300_001)
            with pytest.raises(grpc.RpcError) as caught:
                stub.Analyze(large)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert len(stub.Analyze(service_pb2.AnalyzeRequest(image=raw_face)).analysis.faces) == 1
    finally:
        served.end(signal.SIGTERM)


def test_altered_weights_are_their_own_exit_code(monkeypatch, capsys):
    def altered(**_options):
        raise WeightsError("weights age.onnx are altered")

    monkeypatch.setattr(networks_module, "load_models", altered)
    assert main(["serve"]) == 5
    assert capsys.readouterr().err == "faced: error: weights age.onnx are altered\n"


def test_a_host_that_does_not_exist_is_said_so(capsys, networks, monkeypatch):
    monkeypatch.setattr(serving_module, "load_networks", lambda _settings: networks)
    assert main(["serve", "--host", "example.invalid", "--port", "0", "--insecure"]) == 4
    said = "cannot listen on example.invalid:0: the name example.invalid cannot be resolved"
    assert capsys.readouterr().err.endswith(f"faced: error: {said}\n")


def test_the_check_reads_the_files_that_settings_name(tmp_path, capsys):
    tokens = tmp_path / "tokens"
    tokens.write_text("door:t0k\n")
    assert main(["serve", "--check-config", "--token-file", str(tokens)]) == 0
    assert f'token_file = "{tokens}"\n' in capsys.readouterr().out
    tokens.write_text("door\n")
    assert main(["serve", "--check-config", "--token-file", str(tokens)]) == 2
    assert f"error: token_file: {tokens}, line 1: not name:token" in capsys.readouterr().err
    absent = str(tmp_path / "absent.pem")
    assert main(["serve", "--check-config", "--tls-cert", absent, "--tls-key", absent]) == 2
    assert f"{absent} cannot be read: No such file or directory" in capsys.readouterr().err
