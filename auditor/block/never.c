// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whom this host must not cut itself off from. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "auditor/block/host.h"
#include "common/cleanup.h"

#define MAX_ANCESTORS 64
#define MAX_ENVIRON (256u << 10)

static int add(struct block_config *c, const char *text)
{
	struct block_prefix p;

	if (block_prefix_read(text, &p) < 0)
		return 0;
	for (uint32_t i = 0; i < c->n_never; i++)
		if (!memcmp(&c->never[i], &p, sizeof(p)))
			return 0;
	if (c->n_never == BLOCK_MAX_NEVER)
		return -E2BIG;
	c->never[c->n_never++] = p;
	return 0;
}

static int add_address(struct block_config *c, int family, const void *address)
{
	char text[INET6_ADDRSTRLEN];

	return inet_ntop(family, address, text, sizeof(text)) ? add(c, text) : 0;
}

static int own_addresses(struct block_config *c)
{
	struct ifaddrs *list;
	int r = 0;

	if (getifaddrs(&list) < 0)
		return -errno;
	for (const struct ifaddrs *i = list; i && !r; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			r = add_address(c, AF_INET, &((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr);
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6)
			r = add_address(c, AF_INET6, &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr);
	}
	freeifaddrs(list);
	return r;
}

/* proc(5): /proc/net/route has addresses as words of the host's byte order, ipv6_route as 32 digits. */
static int gateways(struct block_config *c)
{
	_cleanup_fclose_ FILE *f4 = fopen("/proc/net/route", "re"), *f6 = fopen("/proc/net/ipv6_route", "re");
	unsigned int destination, gateway, flags;
	char line[512], to[33], via[33];
	int r = 0;

	while (f4 && !r && fgets(line, sizeof(line), f4))
		if (sscanf(line, "%*s %8x %8x %4x", &destination, &gateway, &flags) == 3 && !destination && flags & 2 /* RTF_GATEWAY */) {
			struct in_addr a = { .s_addr = gateway };

			r = add_address(c, AF_INET, &a);
		}
	while (f6 && !r && fgets(line, sizeof(line), f6))
		if (sscanf(line, "%32s 00 %*32s %*2s %32s", to, via) == 2 && strspn(to, "0") == 32 && strspn(via, "0") != 32) {
			struct in6_addr a;

			for (int i = 0; i < 16; i++)
				sscanf(via + 2 * i, "%2hhx", &a.s6_addr[i]);
			r = add_address(c, AF_INET6, &a);
		}
	return r;
}

/* SSH_CONNECTION of this process and of those it descends from: sudo(8) takes it out of the environment. */
static int sessions(struct block_config *c)
{
	_cleanup_free_ char *env = malloc(MAX_ENVIRON + 1);
	unsigned int pid = (unsigned int)getpid();
	int r = 0;

	if (!env)
		return -ENOMEM;
	for (int i = 0; i < MAX_ANCESTORS && pid > 1 && !r; i++) {
		_cleanup_fclose_ FILE *e = NULL, *s = NULL;
		char path[64], line[1024], *end;
		size_t n;

		snprintf(path, sizeof(path), "/proc/%u/environ", pid);
		e = fopen(path, "re");
		n = e ? fread(env, 1, MAX_ENVIRON, e) : 0;
		env[n] = 0;
		for (char *v = env; v < env + n && !r; v += strlen(v) + 1)
			if (!strncmp(v, "SSH_CONNECTION=", 15)) {
				snprintf(line, sizeof(line), "%.*s", (int)strcspn(v + 15, " %"), v + 15);
				r = add(c, line);
			}
		snprintf(path, sizeof(path), "/proc/%u/stat", pid);
		s = fopen(path, "re");
		/* The name in brackets can hold anything: what follows it begins behind the last one. */
		end = s && fgets(line, sizeof(line), s) ? strrchr(line, ')') : NULL;
		if (!end || sscanf(end + 1, " %*c %u", &pid) != 1)
			break;
	}
	return r;
}

int block_never_host(struct block_config *c)
{
	int r = add(c, "127.0.0.0/8");

	if (!r)
		r = add(c, "::1");
	if (!r)
		r = add(c, "0.0.0.0");
	if (!r)
		r = own_addresses(c);
	if (!r)
		r = gateways(c);
	return r ? r : sessions(c);
}
