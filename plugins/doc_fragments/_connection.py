# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is PRIVATE to the collection: it can change at any time. Do not import it from elsewhere.

from __future__ import annotations


class ModuleDocFragment:
    """The connection options that all modules share which call ECE's API; `_connection.py` reads them."""

    DOCUMENTATION = r"""
options:
  url:
    description:
      - Address of the API, such as V(https://coordinator.example.com:12443). Any coordinator will do.
      - A trailing slash or V(/api/v1) does not matter. User information in it is refused, use O(username) and O(password) or O(api_key).
      - If not given, the environment variable E(EC_HOST) is used. One of them is required.
    type: str
  username:
    description:
      - User of the installation, together with O(password).
      - Only when neither this, nor O(password), nor O(api_key) is given, the environment variables E(EC_USER) and E(EC_PASS), or E(EC_API_KEY), are used.
      - Managing roles tokens needs the Platform admin role.
    type: str
  password:
    description:
      - Password of the user, together with O(username).
      - Ansible masks it wherever it occurs in a result, in other words too. A password such as V(proxy) would mask a role's name.
    type: str
  api_key:
    description:
      - API key to use instead of O(username) and O(password). White space around it is ignored.
      - A warning is given when the API says that the key expires within 14 days.
    type: str
  validate_certs:
    description:
      - Whether the API's certificate is checked. Do not turn this off where the network is not your own, name the installation's CA in O(ca_path) instead.
    type: bool
    default: true
  ca_path:
    description:
      - File with the CA certificates to trust, in PEM format, or folder of such files under OpenSSL's hashed names. Nothing else is trusted then.
      - Without it the system's store is used, or what OpenSSL's own variables E(SSL_CERT_FILE) and E(SSL_CERT_DIR) name in its place.
        Other environment variables, such as E(REQUESTS_CA_BUNDLE), are not.
      - A fresh installation has a CA of its own. R(Connect securely,ansible_collections.eceops.platform.docsite.guide_connect) tells how to
        get its certificate, and to check its fingerprint before the password is sent.
    type: path
  allow_plain_http:
    description:
      - Whether O(url) may begin with V(http://), which shows credentials and tokens to the network. Addresses of this machine itself are always allowed.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that one try of a request may take, its whole reply included.
      - More than 0, at most 86400.
    type: float
    default: 30
  retries:
    description:
      - How often a request is repeated when the connection fails, the reply is cut or late, or its status is 429, 502, 503 or 504.
      - The pauses grow from 1 second and are 30 seconds at most. A C(Retry-After) header is honoured within that limit.
      - Minting a persistent token is repeated only where the request surely did not arrive, or was refused with 429.
        A second token could go unnoticed otherwise.
      - From 0 to 100.
    type: int
    default: 3
requirements:
  - requests (2.25.1 or later, but not the withdrawn 2.32.0 and 2.32.1) on the host that runs the module, with urllib3 1.26 or 2
notes:
  - A proxy that the environment names (E(HTTPS_PROXY), E(NO_PROXY)) is used. Redirects are not followed, C(~/.netrc) is not read.
  - Without pipelining, Ansible writes a module's arguments, O(password) and O(api_key) among them, into a file while the module runs.
    Set C(ansible_pipelining) and C(ansible_ssh_pipelining) to V(true) for tasks that carry credentials, or give them in the environment.
"""
