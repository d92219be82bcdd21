<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0

     What all pages share: head, top line, foot, and the pieces of a row (see mappers/ips/row.h). Included by
     mappers/html/page.c itself, from the embedded files. No script, no inline style, nothing from elsewhere. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="html" encoding="UTF-8" indent="no"/>
  <xsl:param name="lang" select="'ja'"/>
  <xsl:param name="fragment" select="0"/>
  <xsl:variable name="l" select="/page/l"/>
  <xsl:variable name="v" select="/page/view"/>

  <xsl:template name="head">
    <xsl:param name="title"/>
    <head>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="robots" content="noindex"/>
      <title><xsl:value-of select="$title"/> – Tasuki</title>
      <link rel="stylesheet" href="/assets/tasuki.css"/>
    </head>
  </xsl:template>

  <xsl:template name="top">
    <xsl:param name="title"/>
    <a class="skip" href="#main"><xsl:value-of select="$l/skip"/></a>
    <header class="top">
      <span class="brand"><xsl:value-of select="$l/brand"/></span>
      <xsl:if test="$title"><span class="place"><xsl:value-of select="$title"/></span></xsl:if>
      <xsl:if test="string($v/made)">
        <span class="made"><xsl:value-of select="$l/made"/><xsl:text> </xsl:text><xsl:value-of select="$v/made"/></span>
      </xsl:if>
      <xsl:if test="string($v/other)">
        <a class="other" href="{$v/other}"><xsl:value-of select="$l/other_language"/></a>
      </xsl:if>
    </header>
  </xsl:template>

  <!-- The name of the current row. -->
  <xsl:template name="label">
    <xsl:choose>
      <xsl:when test="$lang = 'en' and string(label_en)"><xsl:value-of select="label_en"/></xsl:when>
      <xsl:when test="string(label)"><xsl:value-of select="label"/></xsl:when>
      <xsl:otherwise><xsl:value-of select="$l/unnamed"/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>

  <!-- Date (to date) and where it comes from. -->
  <xsl:template name="origin">
    <span class="origin">
      <xsl:choose>
        <xsl:when test="string(date)">
          <xsl:value-of select="date"/>
          <xsl:if test="string(until) and until != date">〜<xsl:value-of select="until"/></xsl:if>
        </xsl:when>
        <xsl:otherwise><xsl:value-of select="$l/undated"/></xsl:otherwise>
      </xsl:choose>
      <xsl:if test="string(source)"><xsl:text> · </xsl:text><xsl:value-of select="source"/></xsl:if>
    </span>
  </xsl:template>

  <xsl:template name="note">
    <xsl:variable name="note" select="*[name() = concat('note_', $lang)]"/>
    <xsl:if test="string($note)"><span class="note"><xsl:value-of select="$note"/></span></xsl:if>
  </xsl:template>

  <xsl:template name="value">
    <xsl:if test="string(value)">
      <span class="value"><xsl:value-of select="value"/></span>
      <xsl:if test="string(unit)"><span class="unit"><xsl:text> </xsl:text><xsl:value-of select="unit"/></span></xsl:if>
    </xsl:if>
  </xsl:template>

  <!-- High and low are said by a sign and a word, not by colour alone. -->
  <xsl:template name="flag">
    <xsl:choose>
      <xsl:when test="mark = 'high'"><b class="flag">▲<xsl:value-of select="$l/high"/></b></xsl:when>
      <xsl:when test="mark = 'low'"><b class="flag">▼<xsl:value-of select="$l/low"/></b></xsl:when>
      <xsl:when test="mark = 'critical-high'"><b class="flag critical">▲<xsl:value-of select="$l/critical"/></b></xsl:when>
      <xsl:when test="mark = 'critical-low'"><b class="flag critical">▼<xsl:value-of select="$l/critical"/></b></xsl:when>
      <xsl:when test="mark = 'critical'"><b class="flag critical">!<xsl:value-of select="$l/critical"/></b></xsl:when>
      <xsl:when test="mark = 'abnormal'"><b class="flag">!<xsl:value-of select="$l/abnormal"/></b></xsl:when>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
