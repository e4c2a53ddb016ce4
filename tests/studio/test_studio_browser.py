"""The studio in a real browser without a window: `make test-studio`."""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.studio
pytest.importorskip("viser", reason="make test-studio installs it")
webdriver = pytest.importorskip("selenium.webdriver", reason="make test-studio installs it")

from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

from agents.mind import remembered_poses  # noqa: E402
from infant_env.body.model import ArmModel  # noqa: E402
from infant_env.body.servos import Servos  # noqa: E402
from training.measure import metrics  # noqa: E402
from training.studio.page import Page  # noqa: E402

SWITCHES = (
    *("--headless=new", "--no-sandbox", "--no-first-run", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--window-size=1280,720"),
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
)


def soon(condition: Callable[[], Any], seconds: float) -> Any:
    """What the condition gives as soon as that is true, or at the end."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What the condition gives as soon as that is true; fails when it never is."""
    found = soon(condition, seconds)
    assert found, f"waited in vain for {seconds} s"
    return found


class Browser:
    """A window on the studio, and what a user does in it."""

    def __init__(self, address: str, profile: str) -> None:
        options = webdriver.ChromeOptions()
        for switch in (*SWITCHES, f"--user-data-dir={profile}"):
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.binary_location = shutil.which("chromium")
        service = webdriver.ChromeService(shutil.which("chromedriver"))  # else selenium looks for one outside
        self.driver = webdriver.Chrome(options, service)
        self.driver.get(address)
        until(lambda: len(self.tabs()) >= 5 and len(self.pictures()) >= 4)

    def find(self, selector: str, text: str) -> Any:
        """The first visible element with this text; None when there is none."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return next((e for e in found if e.is_displayed() and e.text.strip() == text), None)

    def press(self, text: str) -> None:
        until(lambda: self.find("button", text)).click()

    def tabs(self) -> list[str]:
        return [e.text for e in self.driver.find_elements(By.CSS_SELECTOR, "[role=tab]")]

    def tab(self, name: str) -> None:
        until(lambda: self.find("[role=tab]", name)).click()
        until(lambda: self.find("[role=tab]", name).get_attribute("aria-selected") == "true")

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def pictures(self) -> list[str]:
        """Where the visible pictures come from; a new picture has a new address."""
        images = self.driver.find_elements(By.CSS_SELECTOR, "img")
        return [e.get_attribute("src") for e in images if e.is_displayed()]

    def slider(self, number: int) -> Any:
        return [e for e in self.driver.find_elements(By.CSS_SELECTOR, "[role=slider]") if e.is_displayed()][number]

    def errors(self) -> list[str]:
        """What its console holds against the page."""
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]

    def asked(self, address: str) -> set[str]:
        """What the page fetched or connected to."""
        urls = set()
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            told = event["params"]
            if event["method"] == "Network.requestWillBeSent" and told["documentURL"].startswith(address):
                urls.add(told["request"]["url"])
            elif event["method"] == "Network.webSocketCreated":
                urls.add(told["url"])
        return urls


@pytest.fixture(scope="module")
def page(tiny_run: Path) -> Iterator[Page]:
    page = Page(tiny_run, "127.0.0.1", 8765, seed=0, device="auto")
    yield page
    page.close()


@pytest.fixture
def open_browser(page: Page, tmp_path: Path) -> Iterator[Callable[[], Browser]]:
    opened: list[Browser] = []

    def open_() -> Browser:
        opened.append(Browser(page.address, tempfile.mkdtemp(dir=tmp_path)))
        return opened[-1]

    yield open_
    for browser in opened:
        browser.driver.quit()


@pytest.fixture
def browser(open_browser: Callable[[], Browser]) -> Browser:
    return open_browser()


def at_rest(page: Page) -> NDArray[np.float32]:
    """The joints, once the infant rests."""
    until(lambda: page.infant.at_rest and page.infant.behavior is None)
    return page.infant.moment.joints


def test_the_page_loads_without_an_error_or_an_outside_request(page: Page, browser: Browser):
    assert "Hello!" in browser.text() or "infant" in browser.text()
    assert browser.tabs() == ["Eye and mind", "Body", "Map", "Reach", "Plan"]
    asked = browser.asked(page.address)
    assert page.address + "/" in asked
    inside = (page.address, page.address.replace("http", "ws"), f"blob:{page.address}", "data:")
    assert [url for url in asked if not url.startswith(inside)] == []
    assert browser.errors() == []
    assert browser.find("button", "Share") is None


def test_a_slider_moves_the_arm_and_both_pictures_change(page: Page, browser: Browser):
    browser.tab("Body")
    before, pictures = at_rest(page), browser.pictures()
    thumb = browser.slider(0)
    down = before[0] > page.infant.arm.joint_ranges[0].mean()
    thumb.send_keys((Keys.ARROW_LEFT if down else Keys.ARROW_RIGHT) * 25)
    until(lambda: abs(np.degrees(page.infant.targets[0] - before[0])) > 24)
    after = at_rest(page)
    assert abs(np.degrees(after[0] - before[0])) == pytest.approx(25, abs=1.5)
    until(lambda: all(new != old for new, old in zip(browser.pictures()[:2], pictures[:2], strict=True)))


def reachable_neuron(page: Page) -> tuple[int, int]:
    """A neuron whose pose the arm gets to, from where it is, without meeting the body."""
    infant, mind = page.infant, page.studio.agent.imagination.mind
    random = np.random.default_rng(0)
    while True:
        neuron = random.integers(mind.som.shape)
        held = remembered_poses.of_neurons(mind, neuron[None])[0].numpy()
        far = np.degrees(np.abs(held - infant.moment.joints).max()) > 20
        if far and arrives(infant.arm, infant.moment.joints, held):
            return int(neuron[0]), int(neuron[1])


def arrives(arm: ArmModel, start: NDArray[Any], goal: NDArray[Any]) -> bool:
    data, servos = mujoco.MjData(arm.model), Servos(arm)
    arm.pose(data, start)
    for share in np.linspace(0, 1, 40):
        servos.move(data, servos.action_for(start + share * (goal - start)))
        if arm.penetration(data) > 0:
            return False
    return True


def pixel_of(browser: Browser, client: Any, place: NDArray[Any]) -> tuple[float, float]:
    """Where a place in the world is on the canvas, from its middle."""
    canvas = browser.driver.find_element(By.TAG_NAME, "canvas").rect
    position, target = np.array(client.camera.position), np.array(client.camera.look_at)
    ahead = (target - position) / np.linalg.norm(target - position)
    right = np.cross(ahead, client.camera.up_direction)
    right /= np.linalg.norm(right)
    x, y, z = np.stack([right, np.cross(ahead, right), ahead]) @ (place - position)
    scale = canvas["height"] / 2 / np.tan(client.camera.fov / 2)
    return x / z * scale, y / z * scale


def test_a_click_on_the_map_moves_the_infant_to_that_neurons_pose(page: Page, browser: Browser):
    at_rest(page)
    client = list(page.server.get_clients().values())[-1]
    until(lambda: client.client_id in page.map.browsers)
    neuron = reachable_neuron(page)
    page.map.chosen = None
    canvas = browser.driver.find_element(By.TAG_NAME, "canvas")
    x, y = pixel_of(browser, client, page.map.board.place_of(*neuron))
    click = ActionChains(browser.driver).move_to_element_with_offset(canvas, round(x), round(y)).click()

    end = time.monotonic() + 60
    while page.map.chosen is None and time.monotonic() < end:  # the board may not have been drawn yet
        click.perform()
        soon(lambda: page.map.chosen is not None, 3.0)
    assert page.map.chosen is not None
    a_pixel = np.array(page.map.board.shape) * 0.01
    assert (np.abs(np.subtract(page.map.chosen, neuron)) <= a_pixel + 1).all()
    held = remembered_poses.of_neurons(page.studio.agent.imagination.mind, np.array([page.map.chosen]))[0].numpy()
    assert np.degrees(np.abs(at_rest(page) - held)).max() < 2
    browser.tab("Map")
    until(lambda: f"Neuron ({page.map.chosen[0]}, {page.map.chosen[1]})" in browser.text())


def test_a_goal_is_reached_and_the_error_shown_is_the_agents_own(page: Page, browser: Browser):
    browser.tab("Reach")
    browser.press("Reach for it")
    until(lambda: "Done after" in browser.text(), 120)
    at_rest(page)
    told = re.search(r"hand ([\d.]+) cm off, the picture is off by (\d+\.\d+)", browser.text())
    assert told is not None
    assert float(told[2]) == pytest.approx(page.studio.agent.compare(page.infant.moment.observation), abs=2e-3)
    data, arm = page.studio.data, page.infant.arm
    test = data.split("test")
    there = data.hand_position[test[data.shows_hand[test]][0]]
    here = metrics.hand_positions(arm.normalize(page.infant.moment.joints[None]).astype(np.float32), arm)[0, 0]
    assert float(told[1]) == pytest.approx(100 * np.linalg.norm(here - there), abs=0.3)
    assert browser.errors() == []


def test_a_broken_picture_shows_an_error_and_nothing_dies(page: Page, browser: Browser, tmp_path: Path):
    broken = tmp_path / "dog.png"
    broken.write_bytes(b"no picture")
    browser.tab("Reach")
    inputs = browser.driver.find_elements(By.CSS_SELECTOR, "input[type=file]")
    inputs[0].send_keys(str(broken))
    until(lambda: "dog.png cannot be read as a picture" in browser.text())
    browser.tab("Body")
    before = at_rest(page)
    browser.press("A pose at random")
    until(lambda: np.abs(page.infant.targets - before).max() > 0.01)
    assert browser.errors() == []


def test_a_file_of_some_megabytes_arrives_and_one_that_is_too_large_is_refused(
    page: Page, browser: Browser, tmp_path: Path
):
    browser.tab("Reach")
    for name, size, answer in (("some.png", 9_000_000, "some.png cannot be read"), ("large.png", 21_000_000, "20 MB")):
        (tmp_path / name).write_bytes(bytes(size))
        browser.driver.find_elements(By.CSS_SELECTOR, "input[type=file]")[0].send_keys(str(tmp_path / name))
        until(lambda answer=answer: answer in browser.text())
    assert browser.errors() == []


def test_two_browsers_do_not_disturb_each_other(page: Page, open_browser: Callable[[], Browser]):
    first = open_browser()
    first.tab("Map")
    mine = list(page.server.get_clients().values())[-1]
    camera = np.array(mine.camera.position)
    second = open_browser()
    other = until(lambda: next((c for c in page.server.get_clients().values() if c is not mine), None))
    until(lambda: other.client_id in page.map.browsers)
    second.tab("Map")
    second.press("The map")
    until(lambda: np.abs(np.array(other.camera.position) - camera).max() > 0.1)
    page.map.browsers[other.client_id].layer.value = "U-matrix"
    assert page.map.browsers[mine.client_id].layer.value != "U-matrix"
    second.driver.quit()
    until(lambda: other.client_id not in page.map.browsers)
    assert first.find("[role=tab]", "Map").get_attribute("aria-selected") == "true"
    assert np.allclose(mine.camera.position, camera, atol=1e-3)
    first.tab("Body")
    before = at_rest(page)
    first.press("A pose at random")
    until(lambda: np.abs(page.infant.targets - before).max() > 0.01)
    assert first.errors() == []
