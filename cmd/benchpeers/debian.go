package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// pathCatalogue is where Portico has the catalogue, and where caching peers have theirs.
const pathCatalogue = "/me/status-messages"

// nginxSettings caches the catalogue, which it has from Portico, so that both answer with the same
// bytes, and passes ICWS to the contact centre, with connections kept at both sides and an access log.
const nginxSettings = `daemon off;
%suser root;
worker_processes %s;
pid %s/nginx.pid;
error_log %[3]s/nginx.errors;
events { worker_connections 4096; }
http {
  access_log %[3]s/nginx.access.log combined;
  keepalive_requests 1000000000;
  client_body_temp_path %[3]s/nginx.body; proxy_temp_path %[3]s/nginx.proxy; fastcgi_temp_path %[3]s/nginx.fastcgi;
  uwsgi_temp_path %[3]s/nginx.uwsgi; scgi_temp_path %[3]s/nginx.scgi;
  proxy_cache_path %[3]s/nginx.cache keys_zone=catalogues:10m;
  upstream portico { server %[4]s; keepalive 64; }
  upstream site { server %[5]s; keepalive 128; keepalive_requests 1000000000; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {
    listen %[6]s;
    location = %[7]s {
      proxy_pass http://portico;
      proxy_set_header Cookie "%[8]s";
      proxy_cache catalogues;
      proxy_cache_valid 200 1h;
      proxy_ignore_headers Cache-Control;
    }
    location /icws/ { proxy_pass http://site; }
  }
}
`

func openNginx(ctx context.Context, w *world) ([]*server, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	user, workers := "#", "auto"
	if os.Getuid() == 0 {
		user = "" // or the workers could not read the folder
	}
	if w.mode.peer != "" {
		workers = "1"
	}
	file, err := w.file("nginx.conf", nginxSettings, user, workers, w.folder, w.door, w.site, address, pathCatalogue, w.agents[0])
	if err != nil {
		return nil, err
	}
	one, err := w.start(ctx, "nginx", w.mode.peer, address, "nginx", "-e", filepath.Join(w.folder, "nginx.errors"), "-c", file)
	return []*server{one}, err
}

// varnishSettings caches the catalogue in the forms that callers accept, each as Portico gives it.
const varnishSettings = `vcl 4.1;
backend portico { .host = "%s"; .port = "%s"; }
sub vcl_recv {
  unset req.http.Cookie;
  return (hash);
}
sub vcl_backend_fetch { set bereq.http.Cookie = "%s"; }
sub vcl_backend_response {
  set beresp.ttl = 1h;
  return (deliver);
}
`

// openVarnish starts Varnish and, since it writes no access log itself, the program that does.
func openVarnish(ctx context.Context, w *world) ([]*server, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(w.door)
	if err != nil {
		return nil, err
	}
	file, err := w.file("varnish.vcl", varnishSettings, host, port, w.agents[0])
	if err != nil {
		return nil, err
	}
	place := filepath.Join(w.folder, "varnish")
	// It would keep one form and undo its compression for some; here it keeps both.
	cache, err := w.start(ctx, "varnish", w.mode.peer, address, "varnishd", "-F", "-j", "none", "-n", place, "-a", address, "-f", file,
		"-s", "malloc,64m", "-p", "http_gzip_support=off", "-p", "vsl_space=80m")
	if err != nil {
		return nil, err
	}
	log, err := w.start(ctx, "varnishncsa", w.mode.peer, "", "varnishncsa", "-n", place, "-a", "-w", filepath.Join(w.folder, "varnish.access.log"))
	return []*server{cache, log}, err
}

const haproxySettings = `global
  nbthread %d
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend door
  bind %s
  default_backend site
backend site
  server site %s
`

func openHAProxy(ctx context.Context, w *world) ([]*server, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	threads := 2
	if w.mode.peer != "" {
		threads = 1
	}
	file, err := w.file("haproxy.cfg", haproxySettings, threads, address, w.site)
	if err != nil {
		return nil, err
	}
	one, err := w.start(ctx, "haproxy", w.mode.peer, address, "haproxy", "-db", "-f", file)
	return []*server{one}, err
}

const caddySettings = `{
	admin off
	auto_https off
}
http://%s {
	bind 127.0.0.1
	log {
		output file %s
	}
	reverse_proxy %s {
		transport http {
			keepalive_idle_conns_per_host 256
		}
	}
}
`

func openCaddy(ctx context.Context, w *world) ([]*server, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	file, err := w.file("Caddyfile", caddySettings, address, filepath.Join(w.folder, "caddy.access.log"), w.site)
	if err != nil {
		return nil, err
	}
	one, err := w.start(ctx, "caddy", w.mode.peer, address, "caddy", "run", "--adapter", "caddyfile", "--config", file)
	if err != nil {
		return nil, fmt.Errorf("caddy: %w", err)
	}
	return []*server{one}, nil
}
