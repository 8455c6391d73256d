/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual: gallop.1, and a page for each command, made from the tables of commands and options. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cmd/help.h"

/* More of a line mandoc has something to say of. */
enum { LINE_MAX_BYTES = 80 };

static const char description[] =
	"gallop attaches to a running Go process \\- stripped, with no pprof endpoint,\n"
	"no restart and no change to the program \\- and shows where it allocates, by\n"
	"call stack and type, what its garbage collector costs, what its maps hold, and\n"
	"what a call of any of its functions allocates and takes.\n"
	".PP\n"
	"Every output says what was lost, how sure its numbers are, and holds gallop's\n"
	"count against the runtime's own. A number that can't be shown to be right\n"
	"isn't shown.\n"
	".PP\n"
	"Files that it makes can be read by their owner alone: under sudo, by who\n"
	"called it. A \\fICOMMAND\\fR that it starts runs as who runs gallop.\n"
	".PP\n"
	"It needs root, or for most of it CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and\n"
	"CAP_DAC_READ_SEARCH, of which it gives up what it can once it is attached;\n"
	".B gallop doctor\n";

static const char exit_status[] =
	".SH EXIT STATUS\n"
	".TP 4\n0\nok\n"
	".TP\n1\nfailure\n"
	".TP\n2\nusage\n"
	".TP\n3\nthe target isn't there, or isn't a Go program\n"
	".TP\n4\nnot permitted\n"
	".TP\n5\nnot supported here: the kernel, the architecture, or the version of Go\n"
	".TP\n6\nsomething was lost, or differs from what the runtime counted, with\n"
	"\\fB\\-\\-strict\\fR\n"
	".PP\n"
	"With \\fB\\-\\-\\fR \\fICOMMAND\\fR the command's own status; 126 or 127 if it\n"
	"can't be executed.\n";

/* What else a status of a command's says. */
static const char diff_status[] =
	".PP\n"
	"1 also says that a limit of \\fB\\-\\-fail\\-if\\fR is broken, or that it can't be\n"
	"judged; standard error says which. A recording that can't be read has the same\n"
	"status.\n";

static const char signals[] =
	".SH SIGNALS\n"
	"The first SIGINT, SIGTERM or SIGHUP stops, drains, writes and prints the\n"
	"summary; a second SIGINT or SIGTERM ends gallop at once. SIGTERM is passed on\n"
	"to a command that gallop has started. SIGUSR1 makes\n.B record\n"
	"print a summary and go on. Probes go when gallop does.\n";

static const char environment[] = ".SH ENVIRONMENT\n"
				  ".TP\n.B NO_COLOR\nset and not empty: no colour\n"
				  ".TP\n.B TERM\n\"dumb\": no colour\n"
				  ".TP\n.B TZ\nthe time zone of what is printed\n";

static const char files[] =
	".SH FILES\n"
	".TP\n.I *.gallop\na recording: an SQLite database, which is never replaced by another "
	"result\n"
	".TP\n.I /proc/\\fIPID\\fP\nwhat is known of a target: its executable, its memory\n";

/* --- roff --------------------------------------------------------------------------------------- */

/* What stands for it, or NULL: it stands for itself. */
static const char *escape_of(char c)
{
	switch (c) {
	case '-':
		return "\\-"; /* a hyphen that is typed */
	case '\\':
		return "\\e";
	case '\'':
		return "\\(aq"; /* typed, too */
	case '^':
		return "\\(ha";
	case '~':
		return "\\(ti";
	default:
		return NULL;
	}
}

static void put_bytes(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char *escape = escape_of(text[i]);

		if (escape)
			fputs(escape, out);
		else
			fputc(text[i], out);
	}
}

static size_t escaped_len(const char *text, size_t len)
{
	size_t ret = len;

	for (size_t i = 0; i < len; i++)
		if (escape_of(text[i]))
			ret += strlen(escape_of(text[i])) - 1;
	return ret;
}

static void put_escaped(FILE *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

/* Lines of text, after so many bytes of the first one: none may begin with a dot. */
static void put_rest(FILE *out, size_t used, const char *text)
{
	for (const char *blank = ""; *text; blank = " ") {
		size_t len = strcspn(text, " "), bytes = escaped_len(text, len);

		if (*blank && used + 1 + bytes > LINE_MAX_BYTES) {
			blank = "\n";
			used = 0;
		}
		fputs(blank, out);
		used += *blank == ' ';
		if (!used && *text == '.')
			used += (size_t)fprintf(out, "\\&");
		put_bytes(out, text, len);
		used += bytes;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', out);
}

static void put_line(FILE *out, const char *text)
{
	put_rest(out, 0, text);
}

static void put_head(FILE *out, const char *name, const char *summary)
{
	fputs(".TH ", out);
	for (const char *c = name; *c; c++)
		fputc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, out);
	fprintf(out, " 1 \"%s\" \"gallop %s\" \"User Commands\"\n.SH NAME\n", GALLOP_DATE,
		GALLOP_VERSION);
	put_escaped(out, name);
	fputs(" \\- ", out);
	put_rest(out, escaped_len(name, strlen(name)) + strlen(" \\- "), summary);
}

static void put_items(FILE *out, const struct cmd_text *item)
{
	for (; item->term; item++) {
		fputs(".TP\n\\fB", out);
		put_escaped(out, item->term);
		fputs("\\fR\n", out);
		put_line(out, item->text);
	}
}

static void put_examples(FILE *out, const struct cmd_text *example)
{
	fputs(".SH EXAMPLES\n", out);
	put_items(out, example);
}

/* All pages but that of this command, or, if it is "", but gallop.1. */
static void put_see_also(FILE *out, const char *but)
{
	const char *before = "";

	fputs(".SH SEE ALSO\n", out);
	if (*but) {
		fputs(".BR gallop (1)", out);
		before = ",\n";
	}
	for (const struct cmd *cmd = commands; cmd->name; cmd++) {
		if (!strcmp(cmd->name, but))
			continue;
		fprintf(out, "%s.BR gallop\\-%s (1)", before, cmd->name);
		before = ",\n";
	}
	fputs("\n", out);
}

/* --- the page of a command ---------------------------------------------------------------------- */

static void put_option(FILE *out, const struct option_spec *spec)
{
	fputs(".TP\n", out);
	if (spec->short_name)
		fprintf(out, "\\fB\\-%c\\fR, ", spec->short_name);
	fputs("\\fB\\-\\-", out);
	put_escaped(out, spec->name);
	fputs("\\fR", out);
	if (spec->arg) {
		fputs("=\\fI", out);
		put_escaped(out, spec->arg);
		fputs("\\fR", out);
	}
	fputc('\n', out);
	put_line(out, spec->help);
	if (spec->choices) {
		char choices[256];

		snprintf(choices, sizeof(choices), "One of: %s.", spec->choices);
		fputs(".br\n", out);
		put_line(out, choices);
	}
}

static void put_options(FILE *out, const struct cmd *cmd)
{
	struct option_row rows[OPTION_ROWS_MAX];
	size_t nr = option_rows(cmd, rows);
	const char *group = NULL;

	fputs(".SH OPTIONS\n", out);
	for (size_t i = 0; i < nr; i++) {
		if (rows[i].group != group)
			fprintf(out, ".SS %s\n", rows[i].group);
		group = rows[i].group;
		put_option(out, rows[i].spec);
	}
	if (nr)
		fputs(".SS Help\n", out);
	fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint help\n"
	      ".TP\n\\fB\\-\\-usage\\fR\nprint the first line of it\n",
	      out);
}

static void put_formats(FILE *out, const struct cmd *cmd)
{
	fputs(".SH FORMATS\nChosen by \\fB\\-\\-format\\fR, or by the suffix of the file of "
	      "\\fB\\-\\-output\\fR.\n",
	      out);
	for (const struct renderer *r = renderers; r->name; r++)
		if (command_takes_format(cmd, r)) {
			fprintf(out, ".TP\n\\fB%s\\fR (%s)\n", r->name, r->suffixes);
			put_line(out, r->help);
		}
}

static void put_command(FILE *out, const struct cmd *cmd)
{
	char name[64], synopsis[256];

	snprintf(name, sizeof(name), "gallop-%s", cmd->name);
	put_head(out, name, cmd->summary);
	command_synopsis(cmd, synopsis, sizeof(synopsis));
	fputs(".SH SYNOPSIS\n.B gallop\n", out);
	put_line(out, synopsis);
	fputs(".SH DESCRIPTION\n", out);
	put_line(out, cmd->text);
	put_options(out, cmd);
	if (command_has_formats(cmd))
		put_formats(out, cmd);
	if (cmd->marks) {
		fputs(".SH OUTPUT\n", out);
		put_items(out, cmd->marks);
	}
	put_examples(out, cmd->examples);
	fputs(exit_status, out);
	if (cmd->id == CMD_DIFF)
		fputs(diff_status, out);
	fputs(environment, out);
	fputs(files, out);
	put_see_also(out, cmd->name);
}

/* --- gallop.1 ----------------------------------------------------------------------------------- */

static void put_group(FILE *out, enum cmd_group group)
{
	const char *heading = command_heading(group);

	fprintf(out, ".SS %s\n", heading ? heading : "Other");
	for (const struct cmd *cmd = commands; cmd->name; cmd++) {
		if (cmd->group != group)
			continue;
		fprintf(out, ".TP\n\\fB%s\\fR\n", cmd->name);
		put_line(out, cmd->summary);
	}
}

static void put_overview(FILE *out)
{
	put_head(out, "gallop", "where a running Go program allocates, by call stack and type");
	fputs(".SH SYNOPSIS\n.B gallop\n.I COMMAND\n[\\fIOPTION\\fR...] [\\-\\- \\fIPROGRAM\\fR "
	      "[\\fIARG\\fR...]]\n.SH DESCRIPTION\n",
	      out);
	fputs(description, out);
	fputs("says what works here.\n.SH COMMANDS\n"
	      "Each has a page of its own, such as\n.BR gallop\\-record (1).\n",
	      out);
	put_group(out, CMD_GROUP_FIND);
	put_group(out, CMD_GROUP_LIVE);
	put_group(out, CMD_GROUP_RECORDED);
	put_group(out, CMD_GROUP_OTHER);
	put_examples(out, general_examples);
	fputs(exit_status, out);
	fputs(signals, out);
	fputs(environment, out);
	fputs(files, out);
	put_see_also(out, "");
}

/* --- the command -------------------------------------------------------------------------------- */

/* cmd: NULL for gallop.1. */
static void put_page(FILE *out, const struct cmd *cmd)
{
	if (cmd)
		put_command(out, cmd);
	else
		put_overview(out);
}

static int write_page(const char *directory, const struct cmd *cmd, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	struct output out;

	if (asprintf(&path, "%s/gallop%s%s.1", directory, cmd ? "-" : "", cmd ? cmd->name : "") <
	    0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	int rc = output_open(&out, path, err);
	if (rc)
		return rc;
	put_page(out.f, cmd);
	return output_close(&out, 0, err);
}

int cmd_man(const struct options *opts, struct err *err)
{
	const struct cmd *cmd = NULL;
	int rc = command_asked_for(opts, &cmd, err);

	if (rc)
		return rc;
	if (opts->file && opts->directory)
		return err_set(err, -EINVAL, "--directory is for all pages: give no command");
	if (!opts->directory) {
		put_page(stdout, cmd);
		return EXIT_STATUS_OK;
	}
	rc = write_page(opts->directory, NULL, err);
	for (cmd = commands; cmd->name && !rc; cmd++)
		rc = write_page(opts->directory, cmd, err);
	return rc;
}
