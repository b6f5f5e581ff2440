"""Real mail and web servers, and a database, for the tests: Debian's programs, started on free loopback ports, stopped by process id.

A test asks for a fixture (`dovecot`, `postfix`, `exim`, `cyrus`, `opensmtpd`, `mailutils`,
`courier`, `nginx_before`, `realm`, `apache_before`, `postgresql`); see `tests.servers.fixtures`.
"""

from tests.servers.certificates import ServerCertificate
from tests.servers.dovecot import Dovecot
from tests.servers.exim import Exim
from tests.servers.nginx import Nginx, NginxBefore
from tests.servers.postfix import Postfix
from tests.servers.programs import MinimumTls, ServerMissing

__all__ = ["Dovecot", "Exim", "MinimumTls", "Nginx", "NginxBefore", "Postfix", "ServerCertificate", "ServerMissing"]
