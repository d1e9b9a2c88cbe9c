import Glibc

/// Columns and rows of the terminal on standard output.
struct TerminalSize: Equatable {
    var columns: Int
    var rows: Int

    /// 80 × 24 where the terminal does not say.
    static var current: TerminalSize {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
        else { return TerminalSize(columns: 80, rows: 24) }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }
}
