import Glibc
import Messaging
import Threads

/// The whole terminal, for as long as this value lives: it is left as it was.
final class Screen {
    private let before: termios
    private let signals: Signals
    private var shown: [String] = []
    private var size = TerminalSize.current

    /// What ended a wait.
    enum Wake {
        case time
        case key(UInt8)
        case end
    }

    /// Nil where input or output is no terminal. Throws: where there is no descriptor for signals.
    init?() throws(MessagingError) {
        var mode = termios()
        guard isatty(STDOUT_FILENO) == 1, tcgetattr(STDIN_FILENO, &mode) == 0 else { return nil }
        before = mode
        signals = try Signals()
        // Ctrl-C comes as a byte, so that the terminal is put back first.
        mode.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
        mode.c_iflag &= ~tcflag_t(IXON | ICRNL)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode)
        put("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
    }

    deinit {
        put("\u{1B}[0m\u{1B}[?25h\u{1B}[?1049l")
        var mode = before
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode)
    }

    /// Shows lines from the top; only those that have changed are written. Lines must fit.
    func show(_ lines: [String]) {
        let now = TerminalSize.current
        var text = ""
        if now != size {
            text += "\u{1B}[2J"
            (size, shown) = (now, [])
        }
        for row in 0..<size.rows {
            let line = row < lines.count ? lines[row] : ""
            guard row >= shown.count || shown[row] != line else { continue }
            text += "\u{1B}[\(row + 1);1H\(line)\u{1B}[K"
        }
        shown = (0..<size.rows).map { $0 < lines.count ? lines[$0] : "" }
        put(text)
    }

    /// Waits for a key, a signal or the time.
    func wait(milliseconds: Int32) -> Wake {
        var waiting = [
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&waiting, 2, milliseconds) > 0 else { return .time }
        if waiting[1].revents != 0 {
            if case .stop = signals.next() { return .end }
            return .time
        }
        var byte: UInt8 = 0
        return read(STDIN_FILENO, &byte, 1) == 1 ? .key(byte) : .end
    }

    private func put(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                bytes.removeFirst(count)
            } else if errno != EINTR {
                return
            }
        }
    }
}
