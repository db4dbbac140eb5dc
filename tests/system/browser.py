# SPDX-License-Identifier: GPL-3.0-or-later
"""Drive a page in headless Chromium, as a user does.

usage: browser.py CHROMIUM FOLDER WIDTHxHEIGHT light|dark PAGE

FOLDER is for what the browser writes. Steps are read from stdin, one a line;
"#" begins a comment:

    expect EXPRESSION   of JavaScript; waits until it is true
    print EXPRESSION    prints its value
    click SELECTOR      with the mouse, in the middle of the element
    hover SELECTOR      moves the mouse there
    wheel PIXELS EXPRESSION   scrolls where the mouse is until that is true:
                        the browser drops turns that come too early for it
    type TEXT           on the keyboard
    key NAME            Enter, Escape, Tab, ArrowDown, Home, End, ...
    shot FILE           a picture of the page
    paper FILE          the page as it is printed, PDF

Exits 1, and says why, if a step fails, if the page throws or logs an error
(what its Content-Security-Policy forbids is one), or if it asks for anything
but itself.

The browser is told over a pair of pipes (--remote-debugging-pipe): messages of
the DevTools protocol in JSON, each ended by a NUL byte.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import time

LIMIT_S = 30
KEY_CODES = {
    "Enter": 13, "Escape": 27, "Tab": 9, "Backspace": 8, "Home": 36,
    "End": 35, "PageUp": 33, "PageDown": 34, "ArrowUp": 38, "ArrowDown": 40,
}


class Failure(Exception):
    pass


class Browser:
    def __init__(self, program, folder):
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()
        command = [
            program, "--headless", "--no-sandbox", "--disable-gpu",
            "--hide-scrollbars", "--remote-debugging-pipe",
            f"--user-data-dir={folder}/profile", "about:blank",
        ]
        self.log = open(f"{folder}/browser.log", "wb")
        # The program may be a shell script, which passes on 3 and 4 only.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}',
             "sh", *command],
            pass_fds=(to_browser, from_browser), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        os.close(to_browser)
        os.close(from_browser)
        self.unread = b""
        self.serial = 0
        self.session = None
        self.complaints = []
        self.page = None

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def receive(self):
        while b"\0" not in self.unread:
            data = os.read(self.input, 1 << 20)
            if not data:
                raise Failure("the browser is gone; see browser.log")
            self.unread += data
        message, self.unread = self.unread.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.serial += 1
        message = {"id": self.serial, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") != self.serial:
                self.heard(answer.get("method"), answer.get("params"))
            elif "error" in answer:
                raise Failure(f"{method}: {answer['error']['message']}")
            else:
                return answer["result"]

    def heard(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            text = details.get("exception", {}).get("description")
            self.complaints.append(f"exception: {text or details['text']}")
        elif method == "Log.entryAdded":
            entry = params["entry"]
            if entry["level"] == "error":
                self.complaints.append(f"error: {entry['text']}")
        elif method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if url != self.page:
                self.complaints.append(f"request: {url}")
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {params['message']}")

    def open(self, page, size, scheme):
        width, height = size.split("x")
        target = self.call("Target.createTarget", url="about:blank")
        self.session = self.call(
            "Target.attachToTarget", targetId=target["targetId"],
            flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log", "Network":
            self.call(f"{domain}.enable")
        # A window may not be as narrow as a telephone.
        self.call("Emulation.setDeviceMetricsOverride", width=int(width),
                  height=int(height), deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}])
        self.page = "file://" + os.path.abspath(page)
        self.call("Page.navigate", url=self.page)
        self.expect('document.readyState === "complete"')

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression,
                           returnByValue=True)
        if "exceptionDetails" in answer:
            text = answer["result"].get("description", "an exception")
            raise Failure(f"{expression}: {text}")
        return answer["result"].get("value")

    def expect(self, expression):
        until = time.monotonic() + LIMIT_S
        while self.evaluate(expression) is not True:
            if time.monotonic() > until:
                raise Failure(f"is not so: {expression}")
            time.sleep(0.02)

    def print(self, expression):
        value = self.evaluate(expression)
        print(value if isinstance(value, str) else json.dumps(value))

    def mouse(self, kind, x, y, **params):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **params)

    def hover(self, selector):
        self.at = self.evaluate(
            "(() => { const box = document.querySelector("
            + json.dumps(selector) + ").getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        self.mouse("mouseMoved", *self.at)

    def click(self, selector):
        self.evaluate(f"document.querySelector({json.dumps(selector)})"
                      '.scrollIntoView({block: "nearest"})')
        self.hover(selector)
        for kind in "mousePressed", "mouseReleased":
            self.mouse(kind, *self.at, button="left", clickCount=1)

    def wheel(self, argument):
        pixels, _, expression = argument.partition(" ")
        until = time.monotonic() + LIMIT_S
        while self.evaluate(expression) is not True:
            if time.monotonic() > until:
                raise Failure(f"is not so: {expression}")
            self.mouse("mouseWheel", *self.at, deltaX=0, deltaY=int(pixels))
            time.sleep(0.1)

    def type(self, text):
        for character in text:
            self.call("Input.dispatchKeyEvent", type="char", text=character)

    def key(self, name):
        params = {"key": name, "code": name,
                  "windowsVirtualKeyCode": KEY_CODES[name]}
        if name == "Enter":
            params["text"] = "\r"
        self.call("Input.dispatchKeyEvent", type="keyDown", **params)
        self.call("Input.dispatchKeyEvent", type="keyUp", **params)

    def shot(self, path):
        picture = self.call("Page.captureScreenshot")
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def paper(self, path):
        document = self.call("Page.printToPDF", printBackground=False)
        with open(path, "wb") as file:
            file.write(base64.b64decode(document["data"]))


def drive(browser, lines):
    steps = {name: getattr(browser, name) for name in (
        "expect", "print", "click", "hover", "wheel", "type", "key", "shot",
        "paper")}
    for line in lines:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, _, argument = line.partition(" ")
        steps[name](argument)
    browser.evaluate("0")  # what was heard until now
    if browser.complaints:
        raise Failure("\n".join(browser.complaints))


def main():
    program, folder, size, scheme, page = sys.argv[1:]
    browser = Browser(program, folder)
    try:
        browser.open(page, size, scheme)
        drive(browser, sys.stdin)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        browser.end()
    return 0


sys.exit(main())
