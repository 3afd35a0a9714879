"""The `[auth]` section of a login that works, in its two parts."""

SHARED = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "0123456789abcdef0123456789abcdef",
}
PROVIDER = {
    "client_id": "viva",
    "client_secret": "s",
    "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
}
