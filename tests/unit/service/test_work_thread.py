import asyncio
import signal
import subprocess
import sys
import threading
import time

import pytest

from faced_service.work_thread import Hung, WorkThread


def test_functions_run_one_after_the_other_in_one_thread():
    async def scenario():
        thread = WorkThread("work")
        found = await asyncio.gather(*(thread.run(threading.get_ident) for _ in range(10)))
        thread.close()
        return found

    assert len(set(asyncio.run(scenario())) - {threading.get_ident()}) == 1


def test_what_a_function_raises_is_raised():
    async def scenario():
        thread = WorkThread("work")
        with pytest.raises(ArithmeticError, match="seven"):
            await thread.run(lambda: (_ for _ in ()).throw(ArithmeticError("seven")))
        assert await thread.run(lambda: 5) == 5
        thread.close()

    asyncio.run(scenario())


def test_one_that_hangs_is_given_up_and_does_not_hold_up_the_end():
    async def scenario():
        thread = WorkThread("work")
        gate = threading.Event()
        begin = time.monotonic()
        with pytest.raises(Hung, match=r"work did not end within 0\.1 s"):
            await thread.run(gate.wait, 0.1)
        thread.close()
        assert time.monotonic() - begin < 2
        assert thread.hung
        gate.set()
        await asyncio.sleep(0.05)

    asyncio.run(scenario())


def test_a_process_ends_though_its_thread_hangs():
    code = (
        "import asyncio, threading\n"
        "from faced_service.work_thread import Hung, WorkThread\n"
        "async def main():\n"
        "    try: await WorkThread('work').run(threading.Event().wait, 0.05)\n"
        "    except Hung: print('hung')\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "hung\n"


def test_time_in_which_the_process_stands_still_is_not_counted():
    code = (
        "import asyncio, time\n"
        "from faced_service.work_thread import WorkThread\n"
        "def busy():\n"
        "    print('begun', flush=True)\n"
        "    until = time.process_time() + 0.4\n"
        "    while time.process_time() < until: pass\n"
        "asyncio.run(WorkThread('work').run(busy, 2))\n"
        "print('done')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=20)[0] == "done\n"
