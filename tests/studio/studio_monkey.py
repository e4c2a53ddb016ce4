"""Clicks about in the studio at random, and watches its memory: `make monkey-studio MINUTES=30 RUN=runs/paper`."""

import argparse
import math
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SWITCHES = (
    *("--headless=new", "--no-sandbox", "--no-first-run", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--window-size=1280,720"),
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
)
WARM_UP = 250  # actions until all that is made once has been made
MOST = 50.0  # MB that memory may grow by afterwards
SOME = (
    5  # minutes whose median is compared; of each minute the least counts: what is made and freed moves it up and down
)


class Monkey:
    """A user without a plan.

    Args:
        address: of the studio.
        folder: for the browser's profile and for pictures to upload.
        seed: of what it does.
    """

    def __init__(self, address: str, folder: Path, seed: int) -> None:
        self.address, self.random = address, random.Random(seed)
        options = webdriver.ChromeOptions()
        for switch in (*SWITCHES, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(switch)
        options.binary_location = shutil.which("chromium") or ""
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        self.driver.get(address)
        self.done: dict[str, int] = {}
        self.files = [folder / "broken.png", folder / "picture.png"]
        self.files[0].write_bytes(b"no picture")
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (300, 500, 3), np.uint8)).save(self.files[1])

    def act(self) -> None:
        """One thing, whatever it is; what vanished under the cursor does not count."""
        often = [self.press] * 12 + [self.slide] * 12 + [self.click] * 9 + [self.tab] * 6
        action = self.random.choice([*often, *[self.choose] * 6, *[self.orbit] * 3, self.upload, self.reload])
        try:
            action()
            self.done[action.__name__] = self.done.get(action.__name__, 0) + 1
        except (WebDriverException, IndexError):
            pass

    def press(self) -> None:
        """A button."""
        buttons = [b for b in self._visible("button") if b.text and "file" not in b.text]
        self.random.choice(buttons).click()

    def slide(self) -> None:
        """A slider, by the keyboard."""
        key = self.random.choice([Keys.ARROW_LEFT, Keys.ARROW_RIGHT])
        self.random.choice(self._visible("[role=slider]")).send_keys(key * self.random.randint(1, 40))

    def tab(self) -> None:
        """Another tab."""
        self.random.choice(self._visible("[role=tab]")).click()

    def click(self) -> None:
        """Somewhere in the scene."""
        canvas = self._visible("canvas")[0]
        x, y = self._somewhere(canvas)
        ActionChains(self.driver).move_to_element_with_offset(canvas, x, y).click().perform()

    def orbit(self) -> None:
        """Turns the camera a little."""
        canvas = self._visible("canvas")[0]
        x, y = self._somewhere(canvas)
        chain = ActionChains(self.driver).move_to_element_with_offset(canvas, x, y).click_and_hold()
        chain.move_by_offset(self.random.randint(-20, 20), self.random.randint(-8, 8)).release().perform()

    def choose(self) -> None:
        """Something in a list."""
        self.random.choice(self._visible("input[aria-haspopup=listbox]")).click()
        time.sleep(0.3)
        self.random.choice(self._visible("[role=option]")).click()

    def upload(self) -> None:
        """A picture, or what is none."""
        file = self.random.choice(self.files)
        self.driver.find_elements(By.CSS_SELECTOR, "input[type=file]")[0].send_keys(str(file))

    def reload(self) -> None:
        """The page once more; now and then in a second window for a while."""
        if self.random.random() < 0.5:
            self.driver.get(self.address)
        else:
            first = self.driver.current_window_handle
            self.driver.switch_to.new_window("tab")
            self.driver.get(self.address)
            time.sleep(2)
            self.driver.close()
            self.driver.switch_to.window(first)

    def errors(self) -> list[str]:
        """What the console holds against the page since it was asked last."""
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]

    def _visible(self, selector: str) -> list[webdriver.remote.webelement.WebElement]:
        return [e for e in self.driver.find_elements(By.CSS_SELECTOR, selector) if e.is_displayed()]

    def _somewhere(self, canvas: webdriver.remote.webelement.WebElement) -> tuple[int, int]:
        """From the canvas's middle; more often where the map is."""
        wide, high = canvas.size["width"] // 6, canvas.size["height"] // 2 - 20
        return self.random.randint(-wide, wide), self.random.randint(-high, high // 3)


def main() -> int:
    """Starts a studio, clicks, and says what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--port", type=int, default=8911)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        words = [
            sys.executable,
            "-m",
            "training",
            "studio",
            "--run",
            asked.run,
            "--port",
            str(asked.port),
            "--no-browser",
        ]
        with open(log, "w") as out:
            studio = subprocess.Popen(words, stdout=out, stderr=subprocess.STDOUT, env=os.environ)
        try:
            return clicked(studio, log, asked, Path(folder))
        finally:
            studio.kill()
            studio.wait()


def clicked(studio: "subprocess.Popen[bytes]", log: Path, asked: argparse.Namespace, folder: Path) -> int:
    """The exit status: 0 when nothing failed and memory did not grow."""
    while not (address := re.search(r"http://\S+", log.read_text())):
        assert studio.poll() is None, log.read_text()
        time.sleep(0.2)
    monkey, start, errors, samples = Monkey(address[0], folder, asked.seed), time.monotonic(), [], []
    process, asked_at, least = psutil.Process(studio.pid), 0.0, math.inf  # minutes; MB
    while (minutes := (time.monotonic() - start) / 60) < asked.minutes and studio.poll() is None:
        monkey.act()
        least = min(least, process.memory_info().rss / 1e6)
        if minutes - asked_at > 1:
            asked_at, actions = minutes, sum(monkey.done.values())
            samples.append((actions, least))
            errors += monkey.errors()
            print(f"{minutes:5.1f} min  {least:7.1f} MB  {actions} actions", flush=True)
            least = math.inf
    alive = studio.poll() is None
    monkey.driver.quit()
    warm = [size for actions, size in samples if actions >= min(WARM_UP, samples[-1][0] / 3)]
    growth = statistics.median(warm[-SOME:]) - statistics.median(warm[:SOME])
    failed = log.read_text().count("Traceback")
    print(
        f"actions {monkey.done}\nalive {alive}, tracebacks {failed}, console errors {len(errors)}, growth {growth:.1f} MB"
    )
    print("\n".join(errors[:5]), log.read_text()[-3000:] if failed or not alive else "")
    return int(not alive or failed > 0 or bool(errors) or growth > MOST)


if __name__ == "__main__":
    sys.exit(main())
