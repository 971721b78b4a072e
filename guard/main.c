// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpfwardend: the guard. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/feature.h"
#include "common/log.h"
#include "common/opts.h"
#include "guard/backoff.h"
#include "guard/breakglass.h"
#include "guard/config.h"
#include "guard/guard.h"
#include "guard/loader.h"
#include "guard/notify.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_BREAKGLASS = 3 };

#define ARM_SECONDS 60 /* 3 in a virtual machine without hardware support */

static const struct bw_command command = {
	"bpfwardend", "", "Guards a host against BPF programs that nobody approved: reports every load, and refuses in the modes enforce and protect.",
	"It probes what the kernel offers and runs in the best tier: enforce (BPF LSM, or fmod_ret on the security functions),\n"
	"else watch (reports only); it says which and why. SIGHUP reads the policy again; one that has an error is refused and\n"
	"the running one stays. SIGTERM drains and ends. In the modes enforce and protect the kernel goes on refusing after the guard has ended,\n"
	"however it ended; --disarm ends that.",
};

static int apply_options(struct config *c, const char *mode, const char *policy, const char *state_dir, const char *socket,
			 const char *output, const char *pin_dir, const char *features, const char *api, const char *protect)
{
	int r = 0;

	if (mode)
		r = config_mode(mode, &c->mode);
	if (!r && policy)
		r = config_set(&c->policy, policy);
	if (!r && state_dir)
		r = config_set(&c->state_dir, state_dir);
	if (!r && socket)
		r = config_set(&c->socket, socket);
	if (!r && output)
		r = config_set(&c->output, output);
	if (!r && pin_dir)
		r = config_set(&c->pin_dir, pin_dir);
	if (!r && features)
		r = config_set(&c->features, features);
	if (api)
		c->api.on = !strcmp(api, "on");
	if (protect)
		c->protect_self = !strcmp(protect, "on");
	return r;
}

/*
 * Goes to the background. The first process stays until the guard is up or has failed, and ends with its status, so that
 * whoever starts the guard sees on the spot whether it guards. Returns the descriptor to report on, in the background.
 */
static int background(void)
{
	unsigned char status = EXIT_FAILED;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid) {
		close(fds[1]);
		if (read(fds[0], &status, 1) != 1)
			status = EXIT_FAILED;
		_exit(status);
	}
	close(fds[0]);
	setsid();
	return fds[1];
}

static void report_ready(int fd, unsigned char status)
{
	int null;

	if (fd < 0)
		return;
	if (!status) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0)
			for (int i = 0; i < 3; i++)
				dup2(null, i);
		if (chdir("/") < 0)
			bw_warn("/: %s, ignoring", strerror(errno));
	}
	if (write(fd, &status, 1) != 1)
		bw_warn("the process that started the guard has gone, ignoring");
	close(fd);
}

/* What failed before the guard was up is the fault of its input, or of the host. */
static int exit_status(int r)
{
	static const int input[] = { EINVAL, EBADMSG, ENOTEMPTY, EISDIR, EFBIG, ENOENT, EACCES, E2BIG, EKEYREJECTED };

	for (size_t i = 0; i < sizeof(input) / sizeof(input[0]); i++)
		if (r == -input[i])
			return EXIT_USAGE;
	return EXIT_FAILED;
}

static const char *claim_error(int r)
{
	return r == -EPERM ? "the programs there obey another executable only: end their guard in order first, or disarm with that executable" : strerror(-r);
}

/* The break-glass was pulled: nothing is armed, and what an earlier guard left is taken out. Returns the exit status. */
static int give_way(const char *pin_dir, const char *reason)
{
	char message[600];
	int r, n = loader_disarm(pin_dir);

	if (n < 0)
		snprintf(message, sizeof(message), "break-glass: %s: not started; %s: %s", reason, pin_dir, claim_error(n));
	else
		snprintf(message, sizeof(message), "break-glass: %s: not started, nothing is guarded; sets of programs removed: %d", reason, n);
	bw_warn("%s", message);
	r = breakglass_log(message);
	/* A service has no devices; its manager keeps what it said above. */
	if (r < 0 && r != -ENOENT)
		bw_warn("/dev/kmsg: %s, ignoring", strerror(-r));
	return n < 0 ? EXIT_FAILED : EXIT_BREAKGLASS;
}

/*
 * Under a service manager: waits where the starts before this one ended badly. The directory is the one that it keeps for the service.
 * Returns false when it is to end instead.
 */
static bool wait_turn(const struct config *config, const char *dir)
{
	const char *const settings[] = { config->file, config->policy ? config->policy : CONFIG_POLICY, NULL };
	struct notify notify;
	struct timespec now, wait;
	uint32_t failures, ms;
	char message[200];
	sigset_t end;
	int r, sig;

	clock_gettime(CLOCK_BOOTTIME, &now);
	r = backoff_begin(dir, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, settings, &failures);
	if (r < 0) {
		bw_warn("%s: %s: starts are not counted, ignoring", dir, strerror(-r));
		return true;
	}
	ms = backoff_wait_ms(failures);
	if (!ms)
		return true;
	snprintf(message, sizeof(message), "STATUS=waits %u s: the last %u starts ended badly; what the kernel refuses it goes on refusing", ms / 1000, failures);
	bw_warn("%s", message + strlen("STATUS="));
	if (notify_open(getenv("NOTIFY_SOCKET"), NULL, NULL, &notify) == 0) {
		notify_send(&notify, message);
		notify_close(&notify);
	}
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigprocmask(SIG_BLOCK, &end, NULL);
	wait = (struct timespec){ ms / 1000, (long)(ms % 1000) * 1000000 };
	do
		sig = sigtimedwait(&end, NULL, &wait);
	while (sig < 0 && errno == EINTR);
	sigprocmask(SIG_UNBLOCK, &end, NULL);
	return sig < 0;
}

/* Probes and starts, or with @ret NULL only arms. Returns 0, or the exit status after saying why. */
static int start(const struct config *config, struct bw_features *features, struct guard **ret)
{
	const char *bad = NULL;
	char why[1024] = "";
	int r;

	r = loader_claim(config->pin_dir ? config->pin_dir : LOADER_PIN_DIR);
	if (r < 0) {
		bw_err("%s: %s", config->pin_dir ? config->pin_dir : LOADER_PIN_DIR,
		       r == -EBUSY ? "another guard is running" : claim_error(r));
		return r == -EBUSY ? EXIT_FAILED : exit_status(r);
	}
	bw_features_probe(features);
	if (config->features && bw_features_override(features, config->features, &bad) < 0) {
		bw_err("--features: \"%s\" switches off no feature that is known; bpfwarden doctor lists them", bad);
		return EXIT_USAGE;
	}
	r = ret ? guard_open(config, features, ret, why, sizeof(why)) : guard_arm(config, features, why, sizeof(why));
	if (r < 0) {
		bw_err("%s", why);
		return exit_status(r);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *file = NULL, *mode = NULL, *policy = NULL, *state_dir = NULL, *socket = NULL, *output = NULL;
	const char *pin_dir = NULL, *features = NULL, *api = NULL, *protect = NULL;
	struct config config = { .mode = BW_MODE_OBSERVE, .protect_self = true, .retention_rows = 10000000, .retention_days = 90,
				 .api = { .log_permille = 100, .span_permille = 100 } };
	bool foreground = false, verbose = false, arm = false, disarm = false, version = false;
	const struct bw_opt opts[] = {
		BW_OPTS_HELP_ROW,
		{ BW_OPT_FLAG, 'f', "foreground", &foreground, NULL, "stay in the foreground; events go to standard output unless --output says otherwise" },
		{ BW_OPT_STRING, 'c', "config", &file, "FILE", "settings (default " CONFIG_FILE ", if it exists)" },
		{ BW_OPT_CHOICE, 'm', "mode", &mode, "observe|protect|enforce",
		  "observe (the default) reports; enforce refuses what is not approved; protect analyses that first" },
		{ BW_OPT_STRING, 'p', "policy", &policy, "FILE", "the policy (default " CONFIG_POLICY ")" },
		{ BW_OPT_STRING, 0, "state-dir", &state_dir, "DIR", "event store (default " CONFIG_STATE_DIR ")" },
		{ BW_OPT_STRING, 0, "socket", &socket, "PATH", "control socket (default guard.sock in a --state-dir that is given, else " CONFIG_SOCKET ")" },
		{ BW_OPT_STRING, 'o', "output", &output, "FILE", "append each event as a JSON line to FILE; - is standard output" },
		{ BW_OPT_STRING, 0, "pin-dir", &pin_dir, "DIR", "on a BPF file system (default " LOADER_PIN_DIR ")" },
		{ BW_OPT_STRING, 0, "features", &features, "-NAME,...", "do without features of the kernel, for tests and troubleshooting (bpfwarden doctor lists them)" },
		{ BW_OPT_CHOICE, 0, "api", &api, "on|off", "look at the API calls of this host's processes (default off)" },
		{ BW_OPT_CHOICE, 0, "protect-self", &protect, "on|off", "refuse (mode enforce) and report what would take the guard out (default on)" },
		{ BW_OPT_FLAG, 0, "arm", &arm, NULL, "put programs and policy into the kernel, and exit: for the start of the host" },
		{ BW_OPT_FLAG, 0, "disarm", &disarm, NULL, "remove the programs that a guard left in the kernel, and exit" },
		{ BW_OPT_FLAG, 'v', "verbose", &verbose, NULL, "say more" },
		{ BW_OPT_FLAG, 0, "version", &version, NULL, "print the version" },
		{ 0 },
	};
	struct bw_features probed;
	struct guard *guard = NULL;
	char why[1024] = "", reason[400];
	int nargs, r, ready = -1;
	bool pulled;
	/* RuntimeDirectory= of the unit */
	const char *kept = getenv("NOTIFY_SOCKET") ? getenv("RUNTIME_DIRECTORY") : NULL;

	r = bw_opts_parse(&command, opts, argc, argv, &nargs);
	if (r)
		return r < 0 ? EXIT_USAGE : 0;
	if (nargs) {
		fprintf(stderr, "bpfwardend: unexpected \"%s\"; --help explains\n", argv[1]);
		return EXIT_USAGE;
	}
	if (version) {
		printf("bpfwardend %s\n", BW_VERSION);
		return 0;
	}
	bw_log_init("bpfwardend", verbose ? BW_LOG_DEBUG : BW_LOG_INFO);
	pulled = breakglass_pulled(BREAKGLASS_CMDLINE, BREAKGLASS_FILE, reason, sizeof(reason));
	if (reason[0] && !pulled)
		bw_warn("%s", reason);
	r = config_read(file ? file : CONFIG_FILE, &config, why, sizeof(why));
	if (r < 0 && (file || r != -ENOENT)) {
		bw_err("%s", why);
		/* The way out must not depend on what may be the reason for taking it. */
		if (!pulled)
			return EXIT_USAGE;
	}
	config.file = file ? file : CONFIG_FILE;
	if (!output && foreground && !config.output)
		output = "-";
	if (apply_options(&config, mode, policy, state_dir, socket, output, pin_dir, features, api, protect) < 0) {
		bw_err("no memory");
		return EXIT_FAILED;
	}
	if (pulled && !disarm) {
		r = give_way(config.pin_dir ? config.pin_dir : LOADER_PIN_DIR, reason);
		config_free(&config);
		return r;
	}
	if (config_check(&config)) {
		bw_err("%s: %s", file ? file : CONFIG_FILE, config_check(&config));
		return EXIT_USAGE;
	}
	if (api_config_check(&config.api)) {
		bw_err("%s: api.%s", file ? file : CONFIG_FILE, api_config_check(&config.api));
		return EXIT_USAGE;
	}
	if (disarm) {
		int n = loader_disarm(config.pin_dir ? config.pin_dir : LOADER_PIN_DIR);

		if (n < 0)
			bw_err("%s: %s", config.pin_dir ? config.pin_dir : LOADER_PIN_DIR, claim_error(n));
		else
			bw_notice("disarmed: %d set%s of programs removed", n, n == 1 ? "" : "s");
		config_free(&config);
		return n < 0 ? EXIT_FAILED : 0;
	}
	/* A dump of this process would hold what the events say about others. */
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	if (arm) {
		/* Nothing else of the host goes on meanwhile. */
		alarm(ARM_SECONDS);
		r = config.mode == BW_MODE_OBSERVE ? 0 : start(&config, &probed, NULL);
		if (!r)
			bw_notice("%s", config.mode == BW_MODE_OBSERVE ? "mode observe: nothing to arm" : "armed");
		config_free(&config);
		return r;
	}
	if (!foreground) {
		ready = background();
		if (ready < 0) {
			bw_err("going to the background: %s", strerror(-ready));
			return EXIT_FAILED;
		}
	}
	if (kept && !wait_turn(&config, kept)) {
		backoff_end(kept);
		config_free(&config);
		return 0;
	}
	r = start(&config, &probed, &guard);
	report_ready(ready, (unsigned char)r);
	if (!r) {
		r = guard_run(guard) < 0 ? EXIT_FAILED : 0;
		guard_free(guard);
		if (kept && !r)
			backoff_end(kept);
	}
	config_free(&config);
	return r;
}
