//! `train { … }` and `data { … }`: keys with values.

use super::cursor::Cursor;
use super::tree::{Pick, Setting, SettingValue, Statement};
use crate::error::{Error, Span};
use crate::syntax::token::{Token, plain_number};

impl Cursor<'_, '_> {
    pub(super) fn settings_block(&mut self, into: &mut Vec<Statement>) -> Result<(), Error> {
        let span = self.span();
        let data = match self.text() {
            "train" => false,
            "data" => true,
            _ => {
                let hint =
                    "blocks are `train { … }`, `data { … }`, `layer f(x) { … }`, `optimizer f() { … }`";
                return Err(self.unexpected("`train` or `data`", hint));
            }
        };
        self.skip();
        self.skip();
        let mut settings = Vec::new();
        self.skip_separators();
        while self.token() != Some(Token::CloseBrace) {
            settings.push(self.setting(data)?);
            while self.eat(Token::Separator) || self.eat(Token::Comma) {}
        }
        self.skip();
        into.push(match data {
            false => Statement::Train { span, settings },
            true => Statement::Data { span, settings },
        });
        Ok(())
    }

    fn setting(&mut self, data: bool) -> Result<Setting, Error> {
        let key = self.name("a setting", "settings are `key = value`")?;
        self.expect(Token::Equals, "`=`", "settings are `key = value`")?;
        let start = self.span();
        let value = match data {
            false => SettingValue::Expression(self.expression(&[Token::Comma, Token::Equals])?),
            true => self.data_value()?,
        };
        if !matches!(self.token(), Some(Token::Separator | Token::Comma | Token::CloseBrace)) {
            return Err(
                self.unexpected("the end of the setting", "separate settings by `,`, `;` or line ends")
            );
        }
        Ok(Setting { key, value, span: start.to(self.before()) })
    }

    fn data_value(&mut self) -> Result<SettingValue, Error> {
        match self.token() {
            Some(Token::Text) if !matches!(self.ahead(1), Some(Token::Colon)) => {
                let text = unquoted(self.text());
                self.skip();
                Ok(SettingValue::Text(text))
            }
            Some(Token::OpenVector) if self.is_list() => {
                Ok(SettingValue::Expression(self.expression(&[Token::Comma])?))
            }
            Some(Token::OpenVector) => {
                self.skip();
                let mut picks = Vec::new();
                while self.token() != Some(Token::CloseSquare) {
                    picks.push(self.pick()?);
                    if !self.eat(Token::Comma) {
                        break;
                    }
                }
                self.expect(Token::CloseSquare, "`,` or `]`", "columns are `[name, first:last, prefix_*]`")?;
                Ok(SettingValue::Picks(picks))
            }
            _ => Ok(SettingValue::Picks(vec![self.pick()?])),
        }
    }

    /// `[2, …`, `[-1, …` or `[[…`: numbers, not columns; but `[0:3, …` are positions.
    fn is_list(&self) -> bool {
        match self.ahead(1) {
            Some(Token::OpenVector | Token::Minus) => true,
            Some(Token::Number) => self.ahead(2) != Some(Token::Colon),
            _ => false,
        }
    }

    fn pick(&mut self) -> Result<Pick, Error> {
        let start = self.span();
        if let Some(Token::Number) = self.token() {
            return self.positions(start);
        }
        let first = self.column()?;
        let place = start;
        if self.token() == Some(Token::Star) && self.before().end == self.span().start {
            self.skip();
            return Ok(Pick::Prefix(first, place.to(self.before())));
        }
        if self.eat(Token::Colon) {
            let last = self.column()?;
            return Ok(Pick::Names(first, last, place.to(self.before())));
        }
        Ok(Pick::Name(first, place))
    }

    fn column(&mut self) -> Result<String, Error> {
        let text = match self.token() {
            Some(Token::Text) => unquoted(self.text()),
            Some(Token::Name | Token::Reducer) => self.text().to_owned(),
            _ => {
                let hint =
                    "a column is a name or `\"…\"`; several are `[a, b]`, `first:last`, `prefix_*` or `0:13`";
                return Err(self.unexpected("a column", hint));
            }
        };
        self.skip();
        Ok(text)
    }

    /// `a` or `a:b`, by position.
    fn positions(&mut self, start: Span) -> Result<Pick, Error> {
        let from = self.position()?;
        let to = match self.eat(Token::Colon) {
            true => self.position()?,
            false => from.saturating_add(1),
        };
        Ok(Pick::Positions(from, to, start.to(self.before())))
    }

    fn position(&mut self) -> Result<u64, Error> {
        let text = plain_number(self.text());
        match (self.token(), text.parse()) {
            (Some(Token::Number), Ok(position)) => {
                self.skip();
                Ok(position)
            }
            _ => Err(self.unexpected("a position", "columns are counted from 0, as in `0:13`")),
        }
    }
}

fn unquoted(text: &str) -> String {
    text.trim_matches('"').to_owned()
}
