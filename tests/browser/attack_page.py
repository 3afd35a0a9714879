"""A page that shows every attack after the sanitiser; run by a test without the app's own policy."""

import streamlit as st

from pages.shared import reading, sanitise
from tests.browser.attacks import ATTACKS

for number, (name, attack) in enumerate(ATTACKS.items()):
    with st.container(key=f"attack_{number}"):
        st.text(name)
        st.markdown(sanitise.markdown(attack))
        st.markdown(f"**{sanitise.label(attack)}**")
        st.button(sanitise.label(attack), key=f"button_{number}")
        st.markdown(sanitise.markdown("Said [1].", {1: sanitise.Chip("/sources?doc=a", attack, "green")}))
        st.html(f"<article>{reading.page(attack, 0, len(attack)).html}</article>")
st.text("all attacks shown")
