"""A headless Chromium for checks, driven through chromedriver by the W3C's WebDriver protocol."""
import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


class Browser:
    """One window. `with Browser(1440, 1000) as page: page.open(url)`."""

    def __init__(self, width, height, dark=False, phone=False, downloads=None):
        self.size, self.dark, self.phone, self.downloads = (width, height), dark, phone, downloads

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}"
        deadline = time.time() + 30
        while True:
            try:
                if self.call("GET", "/status")["ready"]:
                    break
            except (urllib.error.URLError, ConnectionError):
                if time.time() > deadline:
                    raise
                time.sleep(0.1)
        options = {"binary": CHROMIUM, "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
            f"--window-size={self.size[0]},{self.size[1]}"]}
        if self.downloads:
            options["prefs"] = {"download.default_directory": self.downloads,
                                "profile.default_content_setting_values.automatic_downloads": 1}
        if self.phone:
            options["mobileEmulation"] = {"deviceMetrics": {
                "width": self.size[0], "height": self.size[1], "pixelRatio": 2.0}}
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.base += "/session/" + session["sessionId"]
        self.call("POST", "/timeouts", {"script": 20000, "pageLoad": 30000})
        if not self.phone:
            self.devtools("Emulation.setDeviceMetricsOverride", width=self.size[0], height=self.size[1],
                          deviceScaleFactor=1, mobile=False)
        if self.downloads:
            self.devtools("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads)
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}])
        return self

    def __exit__(self, *_):
        try:
            self.call("DELETE", "")
        except Exception:
            pass
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].split("\n")[0]) from None
        except TimeoutError:
            raise RuntimeError(f"the browser does not answer to {path}") from None

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, name):
        return self.run("const e = document.getElementById(arguments[0]); return e ? e.textContent : null", name)

    def console(self):
        """What the browser has to say, errors of the page and violations of its policy among it."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def shoot(self, path, whole=True):
        parameters = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            height = self.run("return Math.ceil(document.documentElement.scrollHeight)")
            parameters["clip"] = {"x": 0, "y": 0, "width": self.size[0], "height": height, "scale": 1}
        image = self.devtools("Page.captureScreenshot", **parameters)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(image))

    def wait(self, what, seconds, script, *arguments):
        """Until the script returns something true; what it returned. Says what the page shows otherwise."""
        deadline = time.time() + seconds
        while True:
            value = self.run(script, *arguments)
            if value:
                return value
            if time.time() > deadline:
                raise AssertionError(f"not within {seconds} s: {what}; the page says: {self.text('verdict')!r}, "
                                     f"{self.text('link')!r}")
            time.sleep(0.2)
