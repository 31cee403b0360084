/// Text from elsewhere, made fit to be shown to people.
package enum PrintableText {
    /// What may be shown in a terminal: no control characters, no endless lines.
    package static func of(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(500).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: Unicode.Scalar(" ")
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(shown))
    }
}
