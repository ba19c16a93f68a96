"""Drives the kernel as Jupyter does. Each function that begins with `check_` is one promise of it.

    drive.py TUMBLE NOTEBOOK FOLDER

TUMBLE is the program, NOTEBOOK is executed and, with its outputs and as a page, written to FOLDER.
"""

import base64
import json
import os
import pathlib
import queue
import re
import signal
import struct
import subprocess
import sys
import time
import zlib

TUMBLE, NOTEBOOK, FOLDER = sys.argv[1:]
os.environ["JUPYTER_PATH"] = str(pathlib.Path(FOLDER, "share", "jupyter"))

import nbclient  # noqa: E402
import nbconvert  # noqa: E402
import nbformat  # noqa: E402
import zmq  # noqa: E402
from jupyter_client.manager import KernelManager  # noqa: E402

NAME = "tumble-test"
SECONDS = 60
ENDLESS = """
let m = score::mlp(process::active(), dataset::diamond(), #{ hidden: [16], seed: 0 });
train(m, dataset::diamond(), #{ steps: 100_000_000, seed: 1 })
"""


class Kernel:
    """A kernel and a client of it."""

    def __init__(self):
        self.manager = KernelManager(kernel_name=NAME)
        self.manager.start_kernel(cwd=FOLDER)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def reply(self, request):
        while True:
            reply = self.client.get_shell_msg(timeout=SECONDS)
            if reply["parent_header"].get("msg_id") == request:
                return reply["content"]

    def outputs(self, request, until=lambda message: False):
        """What is published for a request, up to the end or to a message that is waited for."""
        outputs = []
        while True:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status":
                if content["execution_state"] == "idle":
                    return outputs
            else:
                outputs.append((kind, content))
                if until(outputs[-1]):
                    return outputs

    def run(self, code, **options):
        request = self.client.execute(code, **options)
        outputs = self.outputs(request)
        return outputs, self.reply(request)


def texts(outputs, stream):
    return "".join(content["text"] for kind, content in outputs if kind == "stream" and content["name"] == stream)


def only(outputs, kind):
    found = [content for name, content in outputs if name == kind]
    assert len(found) == 1, outputs
    return found[0]


def pixels(png):
    """Width and height of a PNG that is whole."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", None
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        assert zlib.crc32(kind + body) == checksum
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
        if kind == b"IDAT":
            data += body
        at += 12 + length
    assert kind == b"IEND" and len(zlib.decompress(data)) == size[1] * (1 + 3 * size[0])
    return size


def check_kernel_info(kernel):
    info = kernel.reply(kernel.client.kernel_info())
    assert info["implementation"] == "tumble" and info["language_info"]["file_extension"] == ".rhai", info


def check_value(kernel):
    outputs, reply = kernel.run("let a = 1;\na / 2")
    result = only(outputs, "execute_result")
    assert result["data"] == {"text/plain": "0.5"}, result
    assert reply["status"] == "ok" and reply["execution_count"] == result["execution_count"]
    outputs, _ = kernel.run("ans + 1")
    assert only(outputs, "execute_result")["data"]["text/plain"] == "1.5"
    outputs, _ = kernel.run("a / 2;")
    assert [kind for kind, _ in outputs] == ["execute_input"], outputs
    outputs, _ = kernel.run("zeros([1000, 2])")
    assert "Tensor [1000, 2]" in only(outputs, "execute_result")["data"]["text/plain"]


def check_silent_requests_count_nothing(kernel):
    before = kernel.run("1")[1]["execution_count"]
    outputs, _ = kernel.run("let hidden = 7; hidden", silent=True)
    assert outputs == [], outputs
    outputs, reply = kernel.run("hidden")
    assert only(outputs, "execute_result")["data"]["text/plain"] == "7" and reply["execution_count"] == before + 1


def check_printed_lines_come_at_once(kernel):
    request = kernel.client.execute('print("η, first"); sleep(1); print("second"); print("third")')
    start = time.monotonic()
    first = kernel.outputs(request, until=lambda output: output[0] == "stream")
    waited = time.monotonic() - start
    rest = kernel.outputs(request)
    kernel.reply(request)
    assert texts(first, "stdout") == "η, first\n" and texts(rest, "stdout") == "second\nthird\n", (first, rest)
    assert waited < 0.9, waited


def check_many_lines_are_few_messages(kernel):
    outputs, _ = kernel.run("for i in 0..20000 { print(i) }")
    assert texts(outputs, "stdout") == "".join(f"{i}\n" for i in range(20000))
    assert len(outputs) < 1000, len(outputs)


def check_warnings(kernel):
    outputs, reply = kernel.run("plot::scatter([[0, 0], [1, 0.0 / 0]]);")
    assert "warning: " in texts(outputs, "stderr") and "not finite" in texts(outputs, "stderr"), outputs
    assert reply["status"] == "ok"


def check_error(kernel):
    outputs, reply = kernel.run("let kept = 3;\nprocess::actve()")
    error = only(outputs, "error")
    text = "\n".join(error["traceback"])
    assert error["ename"] == "error" and "actve" in error["evalue"], error
    assert "\x1b[" in text and "process::actve()" in re.sub("\x1b\\[[0-9;]*m", "", text) and "did you mean" in text, text
    assert f"input {reply['execution_count']}:2:10" in text, text
    assert reply["status"] == "error" and reply["evalue"] == error["evalue"], reply
    outputs, _ = kernel.run("kept")
    assert only(outputs, "execute_result")["data"]["text/plain"] == "3"


def check_cells_behind_an_error_do_not_run(kernel):
    requests = [kernel.client.execute(code) for code in ["sleep(1); nonsuch", "let late = 1;", "late = 2;"]]
    replies = [kernel.reply(request)["status"] for request in requests]
    assert replies == ["error", "aborted", "aborted"], replies
    [kernel.outputs(request) for request in requests]
    assert kernel.run("late")[1]["status"] == "error"
    request = kernel.client.execute("sleep(1); nonsuch", stop_on_error=False)
    assert kernel.reply(kernel.client.execute("1")) ["status"] == "ok"
    kernel.outputs(request)


def check_figure(kernel):
    figure = 'plot::scatter([[0, 0], [1, 1]], #{ titles: ["η"] })'
    outputs, _ = kernel.run(figure)
    result = only(outputs, "execute_result")
    size = pixels(base64.b64decode(result["data"]["image/png"]))
    shown = result["metadata"]["image/png"]
    assert size[0] > shown["width"] > 300 and abs(size[0] / size[1] - shown["width"] / shown["height"]) < 0.01, shown
    assert result["data"]["text/plain"].startswith("figure: 1 panel")
    outputs, _ = kernel.run(figure.replace("#{", '#{ file: "saved.png",'))
    assert "image/png" in only(outputs, "execute_result")["data"]
    assert pixels(pathlib.Path(FOLDER, "saved.png").read_bytes())
    assert len(kernel.run(figure + ";")[0]) == 1


def check_completion(kernel):
    def complete(code, cursor=None):
        return kernel.reply(kernel.client.complete(code, cursor))

    reply = complete("let τ𝜎 = process::pas + 1", len("let τ𝜎 = process::pas"))
    assert reply["matches"] == ["passive("], reply
    assert (reply["cursor_start"], reply["cursor_end"]) == (18, 21), reply
    assert complete("process::active(#{ ta")["matches"] == ["tau: "]
    assert complete(":he")["matches"] == [":help "]
    assert complete("nothing_like_it")["matches"] == []


def check_inspection(kernel):
    def inspect(code, cursor):
        return kernel.reply(kernel.client.inspect(code, cursor))

    reply = inspect("/* 𝜎 */ process::active()", 20)
    assert reply["found"] and "persistence" in reply["data"]["text/plain"], reply
    kernel.run("let width = 2.5;")
    assert "2.5" in inspect("width", 5)["data"]["text/plain"]
    assert "steps" in inspect("train(m, d, #{ ", 15)["data"]["text/plain"]
    assert not inspect("nonsuch", 3)["found"]


def check_incomplete_input(kernel):
    def ask(code):
        return kernel.reply(kernel.client.is_complete(code))

    reply = ask("let f = |x| {")
    assert reply["status"] == "incomplete" and reply["indent"] == "    ", reply
    assert ask("let f = |x| { x }")["status"] == "complete"
    assert ask("train(m, d, #{\n    steps: 1,\n")["status"] == "complete", "an empty line submits"
    assert ask(":help train")["status"] == "complete"


def check_commands_of_the_prompt(kernel):
    outputs, _ = kernel.run(":help train")
    assert "checkpoint" in texts(outputs, "stdout")
    outputs, _ = kernel.run("let listed = 12;\nlisted;")
    outputs, _ = kernel.run(":vars\n:type listed")
    assert "listed" in texts(outputs, "stdout") and texts(outputs, "stdout").endswith("whole number\n"), outputs
    outputs, reply = kernel.run(":hlep")
    assert reply["status"] == "error" and "did you mean `:help`" in "\n".join(only(outputs, "error")["traceback"])


def check_progress_is_one_output(kernel):
    outputs, reply = kernel.run(ENDLESS.replace("100_000_000", "60_000"))
    assert reply["status"] == "ok", reply
    updates = [content for kind, content in outputs if kind == "update_display_data"]
    first = only(outputs, "display_data")
    assert "█" in first["data"]["text/plain"] or "░" in first["data"]["text/plain"], first
    assert {update["transient"]["display_id"] for update in updates} == {first["transient"]["display_id"]}
    last = updates[-1]["data"]["text/plain"]
    assert last.startswith("train: 60000 steps in ") and "\n" not in last, last


def interrupted(kernel, interrupt):
    request = kernel.client.execute(ENDLESS)
    behind = kernel.client.execute("let behind = 1;")
    kernel.outputs(request, until=lambda output: output[0] == "display_data")
    start = time.monotonic()
    interrupt()
    outputs = kernel.outputs(request)
    assert time.monotonic() - start < 5
    assert only(outputs, "error")["ename"] == "interrupted", outputs
    assert "steps" in only(outputs, "execute_result")["data"]["text/plain"], outputs
    assert kernel.reply(request)["status"] == "error" and kernel.reply(behind)["status"] == "aborted"
    kernel.outputs(behind)
    outputs, reply = kernel.run("let s = sample(m, #{ count: 10, steps: 5, seed: 1 }); s.x.shape")
    assert only(outputs, "execute_result")["data"]["text/plain"] == "[10, 2]", (outputs, reply)


def check_interrupt_by_message(kernel):
    interrupted(kernel, kernel.manager.interrupt_kernel)


def check_interrupt_by_signal(kernel):
    interrupted(kernel, lambda: os.kill(kernel.manager.provisioner.process.pid, signal.SIGINT))
    # With nothing to stop it stops nothing.
    os.kill(kernel.manager.provisioner.process.pid, signal.SIGINT)
    kernel.manager.interrupt_kernel()
    time.sleep(0.2)
    assert kernel.run("sleep(0.1); 1")[1]["status"] == "ok"


def check_interrupt_of_a_script(kernel):
    request = kernel.client.execute('print("on"); loop { sleep(1) }')
    kernel.outputs(request, until=lambda output: output[0] == "stream")
    kernel.manager.interrupt_kernel()
    assert only(kernel.outputs(request), "error")["ename"] == "interrupted"
    assert kernel.reply(request)["status"] == "error"


def check_scripts_are_not_trusted(kernel):
    for code in ['io::read("/etc/passwd")', f'io::write("{pathlib.Path(FOLDER).parent}/outside.txt", "text")']:
        outputs, _ = kernel.run(code)
        assert "--allow-" in "\n".join(only(outputs, "error")["traceback"]), outputs
    assert kernel.run('io::write("inside.json", #{ a: 1 })')[1]["status"] == "ok"


def check_exit_leaves_the_kernel(kernel):
    assert kernel.run("exit(3)")[1]["status"] == "error"
    reply = kernel.run(":quit")[1]
    assert reply["status"] == "ok" and reply["payload"][0]["source"] == "ask_exit", reply
    assert kernel.run("1")[1]["status"] == "ok"


def check_what_is_no_message_is_passed_over(kernel):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.connect(f"tcp://{kernel.manager.ip}:{kernel.manager.shell_port}")
    socket.send_multipart([b"no message"])
    socket.send_multipart([b"<IDS|MSG>", b"00", b"{}", b"{}", b"{}", b"{}"])
    time.sleep(0.2)
    socket.close()
    assert kernel.run("1")[1]["status"] == "ok"


def ends(process, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            return process.returncode
        time.sleep(0.02)
    raise AssertionError("it goes on")


def check_shutdown():
    with Kernel() as kernel:
        process = kernel.manager.provisioner.process
        kernel.client.shutdown()
        reply = kernel.client.get_control_msg(timeout=SECONDS)
        assert reply["msg_type"] == "shutdown_reply" and reply["content"]["status"] == "ok", reply
        assert ends(process, 5) == 0


def check_shutdown_of_a_busy_kernel():
    with Kernel() as kernel:
        process = kernel.manager.provisioner.process
        kernel.outputs(kernel.client.execute(ENDLESS), until=lambda output: output[0] == "display_data")
        kernel.client.shutdown()
        assert ends(process, 5) == 0


def check_restart_forgets():
    with Kernel() as kernel:
        kernel.run("let before = 1;")
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=SECONDS)
        assert kernel.run("before")[1]["status"] == "error"


def check_a_kernel_alone_ends():
    start = "from jupyter_client.manager import KernelManager; import time; " \
        f"m = KernelManager(kernel_name={NAME!r}); m.start_kernel(); c = m.client(); c.start_channels(); " \
        f"c.wait_for_ready(timeout={SECONDS}); print(m.provisioner.process.pid, flush=True); time.sleep(1000)"
    parent = subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, text=True)
    kernel = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(kernel, 0)
            if pathlib.Path(f"/proc/{kernel}/stat").read_text().rsplit(")")[-1].split()[0] == "Z":
                return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.1)
    raise AssertionError("it goes on")


def kinds(cell):
    """What a cell shows, but for progress: that is shown of what takes its time."""
    return sorted({output.output_type for output in cell.get("outputs", [])} - {"display_data"})


def check_notebook():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    kept = [kinds(cell) for cell in notebook.cells]
    start = time.monotonic()
    client = nbclient.NotebookClient(notebook, kernel_name=NAME, timeout=SECONDS, resources={"metadata": {"path": FOLDER}})
    client.execute()
    print(f"  {time.monotonic() - start:.1f} s")
    made = [kinds(cell) for cell in notebook.cells]
    assert kept == made, f"the outputs in the file are not those that it has now: {kept} and {made}"
    pictures = [output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    assert pictures and all(pixels(base64.b64decode(picture.data["image/png"])) for picture in pictures)
    name = pathlib.Path(FOLDER, pathlib.Path(NOTEBOOK).stem)
    # Who opens it has the kernel by its usual name.
    notebook.metadata.kernelspec = {"name": "tumble", "display_name": "tumble", "language": "rhai"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, f"{name}.ipynb")
    page, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    pathlib.Path(f"{name}.html").write_text(page, encoding="utf-8")
    assert "data:image/png" in page


def install():
    command = [TUMBLE, "--threads", "1", "jupyter", "install", "--name", NAME, "--prefix", FOLDER]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    file = pathlib.Path(FOLDER, "share", "jupyter", "kernels", NAME, "kernel.json")
    assert str(file) in said and NAME in said.splitlines()[1], said
    written = json.loads(file.read_text())
    assert pathlib.Path(written["argv"][0]).samefile(TUMBLE) and "--threads=1" in written["argv"], written
    assert written["argv"][-3:] == ["jupyter", "run", "{connection_file}"], written
    assert written["interrupt_mode"] == "message", written


def main():
    install()
    checks = [(name[6:], check) for name, check in globals().items() if name.startswith("check_")]
    failed = []
    with Kernel() as kernel:
        for name, check in checks:
            print(name.replace("_", " "), flush=True)
            try:
                check(kernel) if check.__code__.co_argcount else check()
            except (AssertionError, queue.Empty, nbclient.exceptions.CellExecutionError) as error:
                print(f"  failed: {type(error).__name__} {error}", flush=True)
                failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


main()
