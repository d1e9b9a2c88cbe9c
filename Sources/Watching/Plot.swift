import Foundation

/// Lines over steps, drawn as SVG or in characters.
package struct Plot {
    /// One run's line.
    package struct Line {
        /// What the legend calls it.
        package var name: String
        /// Steps and values, in order; values that are no numbers break the line.
        package var points: [(step: Double, value: Double)]

        /// Makes a line of its parts.
        package init(name: String, points: [(step: Double, value: Double)]) {
            self.name = name
            self.points = points
        }
    }

    /// What is written above.
    package var title: String
    /// The lines, the first above the others.
    package var lines: [Line]
    /// The values' axis is logarithmic.
    package var isLogarithmic = false

    /// Makes a plot of its parts.
    package init(title: String, lines: [Line], isLogarithmic: Bool = false) {
        self.title = title
        self.lines = lines
        self.isLogarithmic = isLogarithmic
    }

    /// Where the numbers lie, and how they are drawn.
    private struct Frame {
        var steps: ClosedRange<Double>
        /// As drawn: logarithms, if so.
        var values: ClosedRange<Double>

        func x(_ step: Double) -> Double {
            (step - steps.lowerBound) / (steps.upperBound - steps.lowerBound)
        }
        /// From the bottom.
        func y(_ value: Double) -> Double {
            (value - values.lowerBound) / (values.upperBound - values.lowerBound)
        }
    }

    private func drawn(_ value: Double) -> Double {
        isLogarithmic ? (value > 0 ? log10(value) : .nan) : value
    }

    private var frame: Frame? {
        let points = lines.flatMap(\.points).filter { drawn($0.value).isFinite }
        guard let first = points.map(\.step).min(), let last = points.map(\.step).max(),
            let low = points.map({ drawn($0.value) }).min(),
            let high = points.map({ drawn($0.value) }).max()
        else { return nil }
        let pad = high > low ? 0.04 * (high - low) : max(abs(high) * 0.1, 1e-9)
        return Frame(
            steps: first...(last > first ? last : first + 1), values: low - pad...high + pad)
    }

    // MARK: SVG

    /// The colours of Okabe and Ito, which the colour-blind can tell apart.
    private static let colours = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666",
    ]

    /// A picture of so many pixels.
    package func svg(width: Int = 800, height: Int = 400) -> String {
        let (left, right, top, bottom) = (64.0, 12.0, 34.0, 40.0 + 18 * Double(lines.count))
        let height = height + 18 * lines.count
        let (w, h) = (Double(width) - left - right, Double(height) - top - bottom)
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" font-family="sans-serif" font-size="12">
            <title>\(Self.escaped(title))</title>
            <rect width="\(width)" height="\(height)" fill="#ffffff"/>
            <text x="\(left)" y="20" font-size="14" font-weight="bold">\(Self.escaped(title))</text>

            """
        guard let frame else {
            return text + "<text x=\"\(left)\" y=\"60\">no steps</text>\n</svg>\n"
        }
        for value in Self.ticks(frame.values, most: 6) {
            let y = Self.short(top + h * (1 - frame.y(value)))
            text += """
                <line x1="\(left)" x2="\(left + w)" y1="\(y)" y2="\(y)" stroke="#d8dde5"/>
                <text x="\(left - 6)" y="\(y)" dy="4" text-anchor="end">\(label(value))</text>

                """
        }
        for step in Self.ticks(frame.steps, most: max(2, width / 110)) {
            let x = Self.short(left + w * frame.x(step))
            text += """
                <line x1="\(x)" x2="\(x)" y1="\(top + h)" y2="\(top + h + 4)" stroke="#525c6b"/>
                <text x="\(x)" y="\(top + h + 18)" text-anchor="middle">\(Self.figure(step))</text>

                """
        }
        for (number, line) in lines.enumerated().reversed() {
            let colour = Self.colours[number % Self.colours.count]
            var path = ""
            var isOpen = false
            for point in line.points {
                let value = drawn(point.value)
                guard value.isFinite else {
                    isOpen = false
                    continue
                }
                path += isOpen ? "L" : "M"
                path += Self.short(left + w * frame.x(point.step)) + ","
                path += Self.short(top + h * (1 - frame.y(value)))
                isOpen = true
            }
            let y = top + h + 40 + 18 * Double(number)
            text += """
                <path d="\(path)" fill="none" stroke="\(colour)" stroke-width="1.6" \
                stroke-linejoin="round"/>
                <line x1="\(left)" x2="\(left + 20)" y1="\(y - 4)" y2="\(y - 4)" \
                stroke="\(colour)" stroke-width="3"/>
                <text x="\(left + 28)" y="\(y)">\(Self.escaped(line.name))</text>

                """
        }
        return text + "</svg>\n"
    }

    private static func short(_ number: Double) -> String { String(format: "%.1f", number) }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            // XML has no form for controls.
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
                text += "\u{FFFD}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    // MARK: characters

    /// Marks of lines that share a picture without colours.
    private static let names = ["⠿", "a", "b", "c", "d", "e", "f", "g", "h"]

    /// Lines of text, none longer than `columns`: points of Braille for the first line, letters for the
    /// others.
    package func characters(columns: Int, rows: Int) -> [String] {
        let (columns, rows) = (max(24, columns), max(4, rows))
        guard let frame else { return [title, "no steps"] }
        let left = 10
        let (w, h) = (columns - left - 1, rows - 2)
        var cells = [[Character]](repeating: [Character](repeating: " ", count: w), count: h)
        for (number, line) in lines.enumerated().dropFirst() {
            let mark = Character(Self.names[number % Self.names.count])
            for (x, y) in dots(line, frame, across: w, up: h) { cells[h - 1 - y][x] = mark }
        }
        if let own = lines.first {
            var bits = [[UInt32]](repeating: [UInt32](repeating: 0, count: w), count: h)
            let dot: [[UInt32]] = [[0x40, 0x80], [0x04, 0x20], [0x02, 0x10], [0x01, 0x08]]
            for (x, y) in dots(own, frame, across: 2 * w, up: 4 * h) {
                bits[h - 1 - y / 4][x / 2] |= dot[y % 4][x % 2]
            }
            for row in 0..<h {
                for column in 0..<w where bits[row][column] != 0 {
                    cells[row][column] = Character(Unicode.Scalar(0x2800 + bits[row][column])!)
                }
            }
        }
        var text = [String(title.prefix(columns))]
        for row in 0..<h {
            let isLabelled = row == 0 || row == h - 1 || row == h / 2
            let value =
                frame.values.upperBound - (frame.values.upperBound - frame.values.lowerBound)
                * (Double(row) + 0.5) / Double(h)
            let label = isLabelled ? self.label(value) : ""
            text.append(
                String(repeating: " ", count: max(0, left - 2 - label.count)) + label + " ┤"
                    + String(cells[row]))
        }
        let (first, last) = (
            Self.figure(frame.steps.lowerBound), Self.figure(frame.steps.upperBound)
        )
        let gap = max(1, w - first.count - last.count)
        text.append(
            String(repeating: " ", count: left) + first + String(repeating: " ", count: gap) + last)
        return text
    }

    /// What stands for each line.
    package var legend: [String] {
        lines.enumerated().map { "\(Self.names[$0 % Self.names.count]) \($1.name)" }
    }

    /// The places of a line on a grid, the gaps between points filled.
    private func dots(
        _ line: Line, _ frame: Frame, across: Int, up: Int
    ) -> [(x: Int, y: Int)] {
        var places: [(x: Int, y: Int)] = []
        var last: (x: Int, y: Int)?
        for point in line.points {
            let value = drawn(point.value)
            guard value.isFinite else {
                last = nil
                continue
            }
            let x = min(across - 1, Int(frame.x(point.step) * Double(across)))
            let y = min(up - 1, max(0, Int(frame.y(value) * Double(up))))
            if let last, x > last.x {
                for step in 1...(x - last.x) {
                    let share = Double(step) / Double(x - last.x)
                    let between = last.y + Int((share * Double(y - last.y)).rounded())
                    places.append((last.x + step, between))
                }
            } else {
                places.append((x, y))
            }
            last = (x, y)
        }
        return places
    }

    // MARK: axes

    private func label(_ value: Double) -> String {
        Self.figure(isLogarithmic ? pow(10, value) : value)
    }

    /// Four digits at most.
    static func figure(_ value: Double) -> String {
        let size = abs(value)
        if size >= 1e6 { return String(format: "%.4gM", value / 1e6) }
        if size >= 1e4 { return String(format: "%.4gk", value / 1e3) }
        return String(format: "%.4g", value)
    }

    /// Round numbers within a range.
    static func ticks(_ range: ClosedRange<Double>, most: Int) -> [Double] {
        let rough = (range.upperBound - range.lowerBound) / Double(most)
        guard rough > 0, rough.isFinite else { return [] }
        let power = pow(10, log10(rough).rounded(.down))
        let each = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? 10 * power
        var found: [Double] = []
        var number = (range.lowerBound / each).rounded(.up)
        while number * each <= range.upperBound, found.count <= most + 1 {
            found.append(number * each)
            number += 1
        }
        return found
    }
}
