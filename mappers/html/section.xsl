<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0

     The narrative of one section of the patient summary: an XHTML div as R4 allows it (no style, id, link or class), made from
     the same rows as the page (mappers/ips/row.h). -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns="http://www.w3.org/1999/xhtml">
  <xsl:output method="xml" encoding="UTF-8" omit-xml-declaration="yes" indent="no"/>
  <xsl:param name="lang" select="'ja'"/>
  <xsl:param name="fragment" select="1"/>
  <xsl:variable name="l" select="/page/l"/>

  <xsl:template match="/">
    <div lang="{$lang}" xml:lang="{$lang}">
      <xsl:apply-templates select="/page/view"/>
    </div>
  </xsl:template>

  <xsl:template match="view">
    <xsl:choose>
      <xsl:when test="state = 'withheld'"><p><xsl:value-of select="$l/withheld"/></p></xsl:when>
      <xsl:when test="state = 'unavailable'">
        <p><xsl:value-of select="$l/none"/></p>
        <xsl:if test="key = 'allergies'"><p><xsl:value-of select="$l/allergy_unavailable"/></p></xsl:if>
      </xsl:when>
      <xsl:when test="state = 'nilknown' and key = 'allergies'"><p><xsl:value-of select="$l/state_nilknown"/></p></xsl:when>
    </xsl:choose>
    <xsl:if test="rows/item">
      <table>
        <thead>
          <tr>
            <th><xsl:value-of select="$l/item"/></th>
            <th><xsl:value-of select="$l/content"/></th>
            <th><xsl:value-of select="$l/date"/></th>
            <th><xsl:value-of select="$l/source"/></th>
          </tr>
        </thead>
        <tbody><xsl:apply-templates select="rows/item"/></tbody>
      </table>
    </xsl:if>
    <xsl:if test="partly = 'true'"><p><xsl:value-of select="$l/partly"/></p></xsl:if>
    <xsl:if test="left_out">
      <p><xsl:value-of select="$l/left_out_a"/><xsl:value-of select="left_out"/><xsl:value-of select="$l/left_out_b"/></p>
    </xsl:if>
  </xsl:template>

  <xsl:template match="item">
    <tr>
      <td>
        <xsl:choose>
          <xsl:when test="$lang = 'en' and string(label_en)"><xsl:value-of select="label_en"/></xsl:when>
          <xsl:when test="string(label)"><xsl:value-of select="label"/></xsl:when>
          <xsl:otherwise><xsl:value-of select="$l/unnamed"/></xsl:otherwise>
        </xsl:choose>
        <xsl:if test="mark = 'anticoagulant'">（<xsl:value-of select="$l/anticoagulant"/>）</xsl:if>
      </td>
      <td><xsl:call-template name="content"/></td>
      <td>
        <xsl:value-of select="date"/>
        <xsl:if test="string(until) and until != date">〜<xsl:value-of select="until"/></xsl:if>
      </td>
      <td><xsl:value-of select="source"/></td>
    </tr>
  </xsl:template>

  <xsl:template name="content">
    <xsl:variable name="note" select="*[name() = concat('note_', $lang)]"/>
    <xsl:value-of select="value"/>
    <xsl:if test="string(value) and string(unit)"><xsl:text> </xsl:text><xsl:value-of select="unit"/></xsl:if>
    <xsl:if test="contains(mark, 'high') and mark != 'high-risk'"> ▲</xsl:if>
    <xsl:if test="contains(mark, 'low')"> ▼</xsl:if>
    <xsl:if test="string(value) and string(detail)"><xsl:text> </xsl:text></xsl:if>
    <xsl:value-of select="detail"/>
    <xsl:if test="string($note)"> [<xsl:value-of select="$note"/>]</xsl:if>
    <xsl:if test="string(range)">（<xsl:value-of select="$l/range"/><xsl:text> </xsl:text><xsl:value-of select="range"/>）</xsl:if>
    <xsl:if test="string(previous)">（<xsl:value-of select="$l/previous"/><xsl:text> </xsl:text><xsl:value-of select="previous"/>
      <xsl:text> </xsl:text><xsl:value-of select="previous_date"/>）</xsl:if>
  </xsl:template>
</xsl:stylesheet>
