# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Real servers and clients for the tests of API visibility: on loopback, on free ports, each with a folder of its own."""
import os
import shutil
import signal
import socket
import subprocess
import time

WORK = os.environ["WORK"]
PYTHON = "/usr/bin/python3"  # Debian's: with pycurl, and with Debian's OpenSSL


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def have(*programs):
    return [p for p in programs if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]


def certificate():
    """(certificate, key), self-signed."""
    cert, key = f"{WORK}/cert.pem", f"{WORK}/key.pem"
    if not os.path.exists(cert):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        os.chmod(key, 0o644)
    return cert, key


class Server:
    """A process that listens on self.port until the end of the with block."""
    scheme = "https"

    def __init__(self):
        self.port = free_port()
        self.dir = f"{WORK}/{type(self).__name__}-{self.port}"
        os.makedirs(self.dir)
        os.chmod(WORK, 0o755)

    def command(self):
        raise NotImplementedError

    def __enter__(self):
        self.log = open(f"{self.dir}/log", "wb")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.dir,
                                        start_new_session=True)
        end = time.monotonic() + 20
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        with open(f"{self.dir}/log", encoding="utf-8", errors="replace") as f:
            text = f.read()[-500:]
        self.__exit__()
        raise RuntimeError(f"{type(self).__name__} does not start: {text}")

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.log.close()

    def pids(self):
        """The server and its workers."""
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid), "--pid", str(self.process.pid)], capture_output=True,
                             text=True, check=False).stdout
        return [int(p) for p in out.split()]

    def url(self, path=""):
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"


ECHO = 'location / { return 200 "path $uri\\n"; }'


class Nginx(Server):
    """@extra: lines of the server block. Answers 200 and the path to everything."""
    tls, http2, scheme = False, False, "http"

    def __init__(self, extra="", workers=1):
        super().__init__()
        cert, key = certificate()
        kind = (" ssl" if self.tls else "") + (" http2" if self.http2 else "")
        temp = "".join(f"{k}_temp_path {self.dir}/{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{self.dir}/nginx.conf", "w", encoding="utf-8") as f:
            f.write(f"""daemon off; worker_processes {workers}; error_log {self.dir}/error.log; pid {self.dir}/pid;
events {{ worker_connections 512; }}
http {{ access_log {self.dir}/access.log; {temp} keepalive_requests 100000; client_max_body_size 10m;
 server {{ listen 127.0.0.1:{self.port}{kind}; ssl_certificate {cert}; ssl_certificate_key {key};
  {extra or ECHO}
 }} }}
""")

    def command(self):
        return ["/usr/sbin/nginx", "-p", self.dir, "-c", f"{self.dir}/nginx.conf", "-e", f"{self.dir}/error.log"]


class NginxTLS(Nginx):
    tls, scheme = True, "https"


class NginxHTTP2(Nginx):
    tls, http2, scheme = True, True, "https"


class NginxProxy(Nginx):
    """TLS in front, clear text behind: two connections on one stack."""
    tls, scheme = True, "https"

    def __init__(self, backend):
        super().__init__(f"location / {{ proxy_pass {backend}; proxy_http_version 1.1; proxy_set_header Connection ''; }}")


class PythonTLS(Server):
    """http.server over ssl: calls SSL_read_ex and SSL_write_ex only."""

    def command(self):
        cert, key = certificate()
        with open(f"{self.dir}/server.py", "w", encoding="utf-8") as f:
            f.write(f"""import http.server, ssl
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        body = ("path " + self.path + "\\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a):
        pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", {self.port}), H)
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.load_cert_chain("{cert}", "{key}")
s.socket = c.wrap_socket(s.socket, server_side=True)
s.serve_forever()
""")
        return [PYTHON, f"{self.dir}/server.py"]


class Node(Server):
    """OpenSSL linked in; moves the cipher text itself."""

    def command(self):
        cert, key = certificate()
        with open(f"{self.dir}/server.js", "w", encoding="utf-8") as f:
            f.write(f"""const https = require('https'), fs = require('fs');
https.createServer({{ key: fs.readFileSync('{key}'), cert: fs.readFileSync('{cert}') }}, (q, r) => {{
	const body = 'path ' + q.url + '\\n';
	r.writeHead(200, {{ 'Content-Length': body.length }});
	r.end(body);
}}).listen({self.port}, '127.0.0.1');
""")
        return ["node", f"{self.dir}/server.js"]


class NodeHTTP2(Server):
    """The same over HTTP/2."""

    def command(self):
        cert, key = certificate()
        with open(f"{self.dir}/server.js", "w", encoding="utf-8") as f:
            f.write(f"""const http2 = require('http2'), fs = require('fs');
http2.createSecureServer({{ key: fs.readFileSync('{key}'), cert: fs.readFileSync('{cert}') }}, (q, r) => {{
	const body = 'path ' + q.url + '\\n';
	r.writeHead(200, {{ 'Content-Length': body.length }});
	r.end(body);
}}).listen({self.port}, '127.0.0.1');
""")
        return ["node", f"{self.dir}/server.js"]


class Grpc(Server):
    """Clear text; the method is the path, the answer has as many bytes as the request says."""
    scheme = "http"

    def command(self):
        with open(f"{self.dir}/server.py", "w", encoding="utf-8") as f:
            f.write(f"""import grpc
from concurrent import futures
class Any(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b"x" * len(request))
s = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
s.add_generic_rpc_handlers((Any(),))
s.add_insecure_port("127.0.0.1:{self.port}")
s.start()
s.wait_for_termination()
""")
        return [PYTHON, f"{self.dir}/server.py"]


class Go(Server):
    flags = ()

    def command(self):
        cert, key = certificate()
        program = f"{self.dir}/server"
        with open(f"{self.dir}/main.go", "w", encoding="utf-8") as f:
            f.write("""package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "path %s\\n", r.URL.Path) })
	fmt.Println(http.ListenAndServeTLS(os.Args[1], os.Args[2], os.Args[3], nil))
}
""")
        subprocess.run(["go", "build", *self.flags, "-o", program, f"{self.dir}/main.go"], check=True, capture_output=True,
                       env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOCACHE": f"{os.path.abspath(os.environ['BUILD'])}/go-cache"})
        return [program, f"127.0.0.1:{self.port}", cert, key]


class GoStripped(Go):
    flags = ("-ldflags", "-s -w")


class Apache(Server):
    """Prefork: each process has its own TLS objects, at the same addresses."""

    def command(self):
        cert, key = certificate()
        modules = "/usr/lib/apache2/modules"
        os.makedirs(f"{self.dir}/www")
        for d in (self.dir, f"{self.dir}/www"):
            os.chmod(d, 0o755)
        load = "".join(f"LoadModule {m}_module {modules}/mod_{m}.so\n" for m in
                       ("mpm_prefork", "authz_core", "ssl", "socache_shmcb", "rewrite") if os.path.exists(f"{modules}/mod_{m}.so"))
        with open(f"{self.dir}/www/page", "w", encoding="utf-8") as f:
            f.write("path page\n")
        with open(f"{self.dir}/httpd.conf", "w", encoding="utf-8") as f:
            f.write(f"""{load}
ServerRoot {self.dir}
ServerName localhost
PidFile {self.dir}/pid
Mutex file:{self.dir} default
ErrorLog {self.dir}/error.log
User nobody
Group nogroup
Listen 127.0.0.1:{self.port}
StartServers 3
MinSpareServers 3
MaxKeepAliveRequests 0
DocumentRoot {self.dir}/www
RewriteEngine on
RewriteRule .* /page [L]
SSLEngine on
SSLCertificateFile {cert}
SSLCertificateKeyFile {key}
<Directory />
Require all granted
</Directory>
<Location />
RewriteEngine on
RewriteRule .* {self.dir}/www/page [L]
</Location>
""")
        return ["/usr/sbin/apache2", "-f", f"{self.dir}/httpd.conf", "-DFOREGROUND"]


def curl(urls, *options):
    """All over one connection. Returns the process id."""
    config = "\n".join(f'url = "{u}"\noutput = "/dev/null"' for u in urls)
    p = subprocess.Popen(["curl", "-sk", "--http1.1", *options, "-K", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    p.communicate(config, timeout=600)
    return p.pid


def curl_gnutls(urls, http2=False):
    """The same through libcurl with GnuTLS."""
    code = f"""import pycurl, sys
c = pycurl.Curl()
c.setopt(c.SSL_VERIFYPEER, 0)
c.setopt(c.SSL_VERIFYHOST, 0)
c.setopt(c.HTTP_VERSION, {'c.CURL_HTTP_VERSION_2_0' if http2 else 'c.CURL_HTTP_VERSION_1_1'})
c.setopt(c.WRITEFUNCTION, lambda b: None)
assert "GnuTLS" in pycurl.version
for u in sys.stdin.read().split():
    c.setopt(c.URL, u)
    c.perform()
"""
    p = subprocess.Popen([PYTHON, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    p.communicate("\n".join(urls), timeout=600)
    assert p.returncode == 0, "pycurl failed"
    return p.pid


H2LOAD_CLIENTS = 4


def h2load(urls, *options):
    """Over several connections at once, over HTTP/2 with several streams at once: each asks for a share of @urls, from the first on. Returns what was asked for."""
    share = len(urls) // H2LOAD_CLIENTS
    p = subprocess.run(["h2load", "-n", str(share * H2LOAD_CLIENTS), "-c", str(H2LOAD_CLIENTS), "-m", "8", *options, "-i", "-"], input="\n".join(urls[:share]),
                       capture_output=True, text=True, timeout=600, check=True)
    assert f" {share * H2LOAD_CLIENTS} succeeded, 0 failed" in p.stdout, p.stdout
    return urls[:share] * H2LOAD_CLIENTS


GRPC_BYTES = 12


def grpc_call(urls):
    """One unary call for each, by one channel: http://HOST:PORT/SERVICE/METHOD."""
    code = f"""import grpc, sys
urls = sys.stdin.read().split()
with grpc.insecure_channel(urls[0].split("/")[2]) as channel:
    calls = {{}}
    for u in urls:
        path = "/" + u.split("/", 3)[3]
        call = calls.setdefault(path, channel.unary_unary(path))
        assert len(call(b"q" * {GRPC_BYTES})) == {GRPC_BYTES}
"""
    p = subprocess.Popen([PYTHON, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    p.communicate("\n".join(urls), timeout=600)
    assert p.returncode == 0, "grpc failed"
    return p.pid


def have_grpc():
    return subprocess.run([PYTHON, "-c", "import grpc"], capture_output=True, check=False).returncode == 0


def have_gnutls_curl():
    return subprocess.run([PYTHON, "-c", "import pycurl; assert 'GnuTLS' in pycurl.version"], capture_output=True, check=False).returncode == 0
