"""What a person does on the pages, and how it is seen that the page is done."""

QUESTION = "What is the difference between ASGI and WSGI?"
OFF_TOPIC = "How do I bake sourdough bread?"
INPUT = ".st-key-chat_input textarea"


def settled(page):
    """Wait until the page is drawn and nothing runs any more."""
    page.locator("[data-testid=stSidebarNavLink]").first.wait_for()
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")


def ask(page, question=QUESTION):
    """Type a question and send it."""
    page.locator(INPUT).fill(question)
    page.keyboard.press("Enter")


def answered(page, n=1):
    """Wait for the n-th answer and return its text."""
    page.locator(f".st-key-chat_usage_{n}").wait_for()
    settled(page)
    return page.locator(f".st-key-chat_answer_{n}").inner_text()


def requests_of(page):
    """Return a list that grows with every address the page asks for."""
    addresses = []
    page.on("request", lambda request: addresses.append(request.url))
    return addresses


def elsewhere(addresses, server):
    """Return the addresses that are not on the server."""
    own = (server.url, f"blob:{server.url}", "data:", "about:")
    return [address for address in addresses if not address.startswith(own)]
