#include "egress/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/array.h"

struct line {
	char path[200];
	speed_t speed;
	tcflag_t flags; /* of c_cflag */
};

static const struct {
	const char *text;
	speed_t speed;
} speeds[] = {
	{ "300", B300 },
	{ "600", B600 },
	{ "1200", B1200 },
	{ "2400", B2400 },
	{ "4800", B4800 },
	{ "9600", B9600 },
	{ "19200", B19200 },
	{ "38400", B38400 },
	{ "57600", B57600 },
	{ "115200", B115200 },
};

/* "8n1": bits, parity, stop bits. */
static bool
read_frame(const char *text, tcflag_t *ret)
{
	*ret = 0;
	if (strlen(text) != 3 || !strchr("78", text[0]) ||
	    !strchr("neo", text[1]) || !strchr("12", text[2]))
		return false;
	*ret |= text[0] == '7' ? CS7 : CS8;
	if (text[1] != 'n')
		*ret |= PARENB;
	if (text[1] == 'o')
		*ret |= PARODD;
	if (text[2] == '2')
		*ret |= CSTOPB;
	return true;
}

static int
read_line(const char *text, struct line *ret, struct err *err)
{
	char speed[8], frame[8];
	int used = 0;

	if (sscanf(text, "%199[^,],%7[^,],%7[^,]%n", ret->path, speed, frame,
		&used) != 3 ||
	    text[used] != '\0' || !read_frame(frame, &ret->flags))
		return err_set(err, -EINVAL,
		    "'%s' is no serial line: DEVICE,SPEED,8n1", text);
	for (size_t i = 0; i < COUNT(speeds); i++)
		if (strcmp(speeds[i].text, speed) == 0) {
			ret->speed = speeds[i].speed;
			return 0;
		}
	return err_set(err, -EINVAL, "'%s' is no speed of a serial line",
	    speed);
}

/* Bytes with a wrong parity are dropped: an answer that may be another one is
 * none. */
static int
set_line(int fd, const struct line *line)
{
	const tcflag_t ours = CSIZE | PARENB | PARODD | CSTOPB | CLOCAL | CREAD;
	struct termios settings, now;

	if (tcgetattr(fd, &settings) < 0)
		return -errno;
	cfmakeraw(&settings);
	settings.c_iflag |= line->flags & PARENB ? INPCK | IGNPAR : 0;
	settings.c_iflag &= ~(tcflag_t)(IXON | IXOFF | IXANY);
	settings.c_cflag &= ~(ours | CRTSCTS);
	settings.c_cflag |= line->flags | CLOCAL | CREAD;
	settings.c_cc[VMIN] = 1;
	settings.c_cc[VTIME] = 0;
	if (cfsetspeed(&settings, line->speed) < 0 ||
	    tcsetattr(fd, TCSANOW, &settings) < 0 || tcgetattr(fd, &now) < 0)
		return -errno;
	/* tcsetattr is content when it could do some of it */
	if ((now.c_cflag & ours) != (settings.c_cflag & ours) ||
	    cfgetospeed(&now) != line->speed)
		return -ENOTSUP;
	return 0;
}

int
serial_open(const char *text, struct err *err)
{
	struct line line = { "", B0, 0 };
	int code = read_line(text, &line, err), fd;

	if (code < 0)
		return code;
	fd = open(line.path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, "cannot open %s", line.path);
	if (!isatty(fd))
		code = err_set(err, -ENOTTY, "%s is no serial line", line.path);
	else if (ioctl(fd, TIOCEXCL) < 0)
		code = err_set_errno(err, "cannot have %s alone", line.path);
	else if ((code = set_line(fd, &line)) < 0)
		err_set(err, code, "cannot set %s to %s: %s", line.path,
		    strchr(text, ',') + 1, strerror(-code));
	else
		tcflush(fd, TCIOFLUSH);
	if (code == 0)
		return fd;
	close(fd);
	return code;
}

void
serial_close(int fd)
{
	tcflush(fd, TCOFLUSH);
	close(fd);
}
